/** What a request shows for itself, and where it comes from: read by rules that no text can break. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAttempts } from "../../../src/publishers/live/access/attempts.ts";
import { isTokenInAddress, sessionShown, tokenShown } from "../../../src/publishers/live/access/credentials.ts";
import { isOwnOrigin } from "../../../src/publishers/live/access/origin.ts";
import { createSessions } from "../../../src/publishers/live/access/sessions.ts";
import { hostNameOf } from "../../../src/publishers/live/access/where.ts";

const base64url = fc.stringMatching(/^[\w-]{1,60}$/);

describe("a token that is shown", () => {
  test("in the header Authorization", () => {
    fc.assert(
      fc.property(
        base64url,
        fc.constantFrom("Bearer", "bearer", "BEARER"),
        fc.constantFrom(" ", "  "),
        (token, how, gap) => {
          expect(tokenShown({ authorization: `${how}${gap}${token}` })).toBe(token);
        },
      ),
    );
  });

  test("among the subprotocols of a WebSocket", () => {
    fc.assert(
      fc.property(base64url, fc.array(fc.stringMatching(/^[a-z.0-9]{1,20}$/), { maxLength: 3 }), (token, others) => {
        const offered = [...others.filter((one) => !one.startsWith("pawline.token.")), `pawline.token.${token}`];
        expect(tokenShown({ "sec-websocket-protocol": offered.join(", ") })).toBe(token);
      }),
    );
  });

  test.each([undefined, "", "Basic YTpi", "Bearer", "Bearer ", "Token x", "Bearer a b", "xBearer a"])(
    "%j shows none",
    (authorization) => {
      expect(tokenShown({ ...(authorization !== undefined && { authorization }) })).toBeUndefined();
    },
  );

  test("whatever stands there, reading it does not fail", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (authorization, protocols) => {
        const token = tokenShown({ authorization, "sec-websocket-protocol": protocols });
        expect(token === undefined || `${authorization} ${protocols}`.includes(token)).toBe(true);
      }),
    );
  });
});

describe("the cookie of a session", () => {
  const name = fc.stringMatching(/^[a-z_]{1,20}$/).filter((one) => one !== "pawline_session");

  test("among others, quoted or not", () => {
    const others = fc.array(fc.tuple(name, fc.stringMatching(/^[\w=]{0,10}$/)), { maxLength: 4 });
    fc.assert(
      fc.property(others, others, base64url, fc.boolean(), (before, behind, value, isQuoted) => {
        const own: [string, string] = ["pawline_session", isQuoted ? `"${value}"` : value];
        const cookie = [...before, own, ...behind].map(([key, text]) => `${key}=${text}`).join("; ");
        expect(sessionShown({ cookie })).toBe(value);
      }),
    );
  });

  test.each(["", "pawline_session=", "pawline_sessions=x", "x=pawline_session", "pawline_session"])(
    "%j has none",
    (cookie) => {
      expect(sessionShown({ cookie })).toBeUndefined();
    },
  );

  test("whatever stands there, reading it does not fail", () => {
    fc.assert(fc.property(fc.string(), (cookie) => void sessionShown({ cookie })));
  });
});

test.each([
  ["/api/devices", false],
  ["/api/devices?kind=collar&source=pettracer", false],
  ["/api/devices?token=x", true],
  ["/api/devices?Access_Token=x", true],
  [`/api/devices?x=pawline_${"a".repeat(43)}`, true],
  [`/api/devices?x=pawline_${"a".repeat(42)}`, false],
  ["/api/ws?kind=collar?token=x", false],
  ["/?%", false],
])("%s: a token in the address %s", (url, isOne) => {
  expect(isTokenInAddress(url)).toBe(isOne);
});

test.each([
  ["localhost", "localhost"],
  ["LocalHost:8099", "localhost"],
  ["127.0.0.1:80", "127.0.0.1"],
  ["[::1]:8099", "::1"],
  ["[::1]", "::1"],
  [undefined, "localhost"],
  ["", ""],
])("the name in the Host header %j is %j", (host, name) => {
  expect(hostNameOf(host)).toBe(name);
});

function asking(headers: IncomingHttpHeaders): IncomingMessage {
  return { headers } as unknown as IncomingMessage;
}

describe("the origin of a page", () => {
  test("that was loaded from where it asks", () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const port = fc.option(fc.integer({ min: 1, max: 65_535 }));
    fc.assert(
      fc.property(host, port, fc.constantFrom("http", "https"), (name, number, scheme) => {
        const at = number === null ? name : `${name}:${number}`;
        if (!URL.canParse(`${scheme}://${at}`)) return;
        expect(isOwnOrigin(asking({ host: at, origin: new URL(`${scheme}://${at}`).origin }), [], false)).toBe(true);
      }),
    );
  });

  test("of somebody else is not ours, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom("null", "*", "http://", "file://")), (origin) => {
        if (URL.canParse(origin) && new URL(origin).host === "cats.lan:8099") return;
        expect(isOwnOrigin(asking({ host: "cats.lan:8099", origin }), ["https://listed.example"], false)).toBe(
          URL.canParse(origin) && new URL(origin).origin === "https://listed.example",
        );
      }),
    );
  });

  test.each([
    [{ host: "cats.lan" }, true],
    [{ host: "cats.lan", origin: "https://listed.example" }, true],
    [{ host: "cats.lan", origin: "https://listed.example:443" }, true],
    [{ host: "cats.lan", origin: "http://listed.example" }, false],
    [{ host: "cats.lan:80", origin: "http://cats.lan" }, true],
    [{ host: "cats.lan:443", origin: "http://cats.lan" }, false],
    [{ host: "cats.lan:8099", origin: "A:" }, false],
    [{ host: "", origin: "a:" }, false],
    [{ host: "cats.lan:8099", origin: "data:" }, false],
    [{ host: "10.0.0.5:8099", origin: "https://ha.example", "x-forwarded-host": "ha.example" }, false],
  ])("%j: %s", (headers, isOwn) => {
    expect(isOwnOrigin(asking(headers), ["https://listed.example"], false)).toBe(isOwn);
  });

  test("behind Ingress what the browser asked stands in another header", () => {
    const headers = {
      host: "10.0.0.5:8099",
      origin: "https://ha.example",
      "x-forwarded-host": "ha.example, proxy.lan",
    };
    expect(isOwnOrigin(asking(headers), [], true)).toBe(true);
    expect(isOwnOrigin(asking({ ...headers, origin: "https://evil.example" }), [], true)).toBe(false);
  });
});

describe("after wrong tokens", () => {
  function clock() {
    let now = 0;
    const pass = (ms: number): void => {
      now += ms;
    };
    return { attempts: createAttempts(() => now), pass };
  }

  test("the wait doubles from a second to five minutes, and is forgotten after five minutes of peace", () => {
    const { attempts, pass } = clock();
    const waits: number[] = [];
    for (let failure = 1; failure <= 16; failure += 1) {
      attempts.fail("10.0.0.5");
      waits.push(attempts.waitMs("10.0.0.5"));
      pass(attempts.waitMs("10.0.0.5"));
    }
    expect(waits).toEqual(
      [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * 1_000),
    );
    expect(attempts.waitMs("10.0.0.6")).toBe(0);
    pass(300_001);
    attempts.fail("10.0.0.5");
    expect(attempts.waitMs("10.0.0.5")).toBe(0);
  });

  test.each([
    ["2001:db8:1:2::5", "2001:db8:1:2:aaaa::1", true],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", true],
    ["::1", "::2", true],
    ["2001:db8:1:2::5", "2001:db8:1:3::5", false],
    ["10.0.0.5", "10.0.0.6", false],
  ])("%s and %s are the same network: %s", (one, other, isSame) => {
    const { attempts } = clock();
    for (let failure = 0; failure < 5; failure += 1) attempts.fail(one);
    expect(attempts.waitMs(other) > 0).toBe(isSame);
  });

  test("who was right there before is remembered, by token and address", () => {
    const { attempts } = clock();
    attempts.succeed("10.0.0.5", "a");
    attempts.succeed("10.0.0.5", "b");
    expect([attempts.hasSucceeded("10.0.0.5", "a"), attempts.hasSucceeded("10.0.0.5", "b")]).toEqual([true, true]);
    expect([attempts.hasSucceeded("10.0.0.5", "c"), attempts.hasSucceeded("10.0.0.6", "a")]).toEqual([false, false]);
  });

  test("no number of addresses fills the memory", () => {
    const { attempts } = clock();
    for (let failure = 0; failure < 5; failure += 1) attempts.fail("10.0.0.1");
    for (let address = 0; address < 5_000; address += 1) attempts.fail(`10.1.${address >> 8}.${address & 255}`);
    // The oldest is forgotten.
    expect(attempts.waitMs("10.0.0.1")).toBe(0);
  });
});

describe("sessions", () => {
  test("belong to a token until they are closed, or nobody has used them for a month", () => {
    let now = 0;
    const sessions = createSessions(() => now);
    const [one, other] = [sessions.open("a"), sessions.open("b")];
    expect([sessions.tokenId(one), sessions.tokenId(other), sessions.tokenId("x")]).toEqual(["a", "b", undefined]);
    sessions.close(other);
    expect(sessions.tokenId(other)).toBeUndefined();
    const day = 86_400_000;
    now += 29 * day;
    expect(sessions.tokenId(one)).toBe("a");
    now += 29 * day;
    expect(sessions.tokenId(one)).toBe("a");
    now += 31 * day;
    expect(sessions.tokenId(one)).toBeUndefined();
  });

  test("are a thousand at most: the one that was not used for longest goes", () => {
    const sessions = createSessions();
    const [first, second] = [sessions.open("first"), sessions.open("second")];
    for (let more = 0; more < 998; more += 1) sessions.open("more");
    expect(sessions.tokenId(first)).toBe("first");
    sessions.open("one more");
    expect([sessions.tokenId(first), sessions.tokenId(second)]).toEqual(["first", undefined]);
  });
});
