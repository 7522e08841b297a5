/** The parts that HTTP answers are made of: tags, buckets, preferences, queries, paths, and the line in the log. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createBucket, createBuckets } from "../../../src/lib/bucket.ts";
import { createLog } from "../../../src/lib/log.ts";
import { z } from "../../../src/lib/schema.ts";
import { createScrubber } from "../../../src/lib/scrub.ts";
import { devicesQuery, eventsQuery, trackQuery } from "../../../src/publishers/live/api/requests.ts";
import { createCountedLog } from "../../../src/publishers/live/counted-log.ts";
import { entityTag, isKnown } from "../../../src/publishers/live/http/answer.ts";
import { createMatcher, type Endpoint } from "../../../src/publishers/live/http/endpoint.ts";
import { preferredWaitS } from "../../../src/publishers/live/http/prefer.ts";
import { RequestError, rawProblem } from "../../../src/publishers/live/http/problem.ts";
import { readQuery } from "../../../src/publishers/live/http/query.ts";
import { memoryStream } from "../../support/stream.ts";

describe("entity tags", () => {
  test("are the same for the same body alone", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(entityTag(one) === entityTag(other)).toBe(one === other);
        expect(entityTag(one)).toBe(entityTag(Buffer.from(one)));
      }),
    );
  });

  test("are found in any list", () => {
    const tag = fc
      .tuple(fc.constantFrom("", "W/"), fc.stringMatching(/^[!#-~]{0,10}$/))
      .map(([weak, text]) => `${weak}"${text}"`);
    fc.assert(
      fc.property(fc.array(tag), tag, fc.constantFrom(",", ", ", " , "), (tags, mine, gap) => {
        const plain = (one: string): string => one.replace(/^W\//, "");
        const isThere = tags.map(plain).includes(plain(mine));
        expect(isKnown(tags.join(gap), mine)).toBe(isThere);
        expect(isKnown([...tags, mine].join(gap), mine)).toBe(true);
      }),
    );
    expect([isKnown("*", '"a"'), isKnown(undefined, '"a"'), isKnown("a", '"a"')]).toEqual([true, false, false]);
  });
});

describe("a bucket", () => {
  test("gives what it holds at once, and then as much as flows in", () => {
    let now = 0;
    const bucket = createBucket({ perSecond: 10, burst: 3 }, () => now);
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 100]);
    now += 99;
    expect(bucket.take()).toBe(1);
    now += 1;
    expect([bucket.take(), bucket.take()]).toEqual([0, 100]);
    now += 60_000;
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 100]);
  });

  test("never gives more than its rate, and always after the wait that it names", () => {
    const rate = fc.record({ perSecond: fc.integer({ min: 1, max: 100 }), burst: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(rate, fc.array(fc.nat(500), { maxLength: 200 }), (given, pauses) => {
        let now = 0;
        let taken = 0;
        const bucket = createBucket(given, () => now);
        for (const pause of pauses) {
          now += pause;
          const waitMs = bucket.take();
          taken += Number(waitMs === 0);
          expect(taken).toBeLessThanOrEqual(given.burst + (now * given.perSecond) / 1_000 + 1e-6);
          if (waitMs === 0) continue;
          now += waitMs;
          expect(bucket.take()).toBe(0);
          taken += 1;
        }
      }),
    );
  });

  test("of a name is its own, and forgotten when there are too many", () => {
    const bucketOf = createBuckets({ perSecond: 1, burst: 1 }, 2, () => 0);
    expect([bucketOf("a").take(), bucketOf("a").take() > 0, bucketOf("b").take()]).toEqual([0, true, 0]);
    bucketOf("a");
    bucketOf("c");
    expect([bucketOf("a").take() > 0, bucketOf("b").take()]).toEqual([true, 0]);
  });
});

describe("the header Prefer", () => {
  test.each<[string | string[] | undefined, number | undefined]>([
    [undefined, undefined],
    ["", undefined],
    ["wait=5", 5],
    ["respond-async, wait=5", 5],
    ["respond-async", 0],
    ["wait = 5", 5],
    ['wait="7"', 7],
    ["WAIT=7; foo=1", 7],
    ["wait=900", 60],
    ["wait=-1", undefined],
    ["wait=1.5", undefined],
    ["wait", undefined],
    ["handling=strict", undefined],
    [["handling=strict", "wait=3"], 3],
  ])("%j: %s", (header, seconds) => {
    expect(preferredWaitS(header, 60)).toBe(seconds);
  });

  test("of any kind gives nothing, or whole seconds that we are willing to wait", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat().map((seconds) => `wait=${seconds}`),
        ),
        (header) => {
          const seconds = preferredWaitS(header, 60);
          expect(seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 60)).toBe(true);
        },
      ),
    );
  });
});

describe("a query", () => {
  test("of any kind is read, or refused with what is wrong with it", () => {
    const pairs = fc.array(fc.tuple(fc.oneof(fc.constantFrom("kind", "source", "account"), fc.string()), fc.string()));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pairs.map((all) => String(new URLSearchParams(all))),
        ),
        (query) => {
          try {
            expect(Object.keys(readQuery(`/api/devices?${query}`, devicesQuery)).length).toBeLessThan(4);
          } catch (error) {
            expect(error).toBeInstanceOf(RequestError);
            expect(error).toMatchObject({
              status: 400,
              code: "invalid_request",
              message: expect.stringMatching(/^[A-Z].*\.$/s),
            });
          }
        },
      ),
    );
  });

  test("takes the numbers that the document names, up to both ends", () => {
    const { shape } = eventsQuery;
    for (const [name, part] of Object.entries({ after: shape.after, limit: shape.limit })) {
      const { minimum, maximum } = z.toJSONSchema(part, { io: "output" });
      expect(minimum).toBe(0);
      for (const end of [minimum, maximum]) {
        expect(readQuery(`/x?${name}=${end}`, eventsQuery)).toMatchObject({ [name]: end });
      }
    }
  });

  test("has times in either way, whole and to the millisecond", () => {
    const date = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });
    fc.assert(
      fc.property(date, (at) => {
        for (const text of [at.toISOString(), at.toISOString().replace("Z", "+00:00"), String(at.getTime())]) {
          expect(readQuery(`/x?from=${text}`, trackQuery).from).toBe(at.getTime());
          expect(readQuery(`/x?from=${encodeURIComponent(text)}`, trackQuery).from).toBe(at.getTime());
        }
      }),
    );
  });
});

describe("paths", () => {
  const answer = () => ({ body: "" });
  const endpoint = (path: string): Endpoint => ({ method: "GET", path, needs: "public", answer });
  const match = createMatcher(["/", "/api/devices", "/api/devices/{id}", "/api/devices/{id}/track"].map(endpoint));

  test.each<[string, string | undefined, Record<string, string>]>([
    ["/", "/", {}],
    ["/api/devices", "/api/devices", {}],
    ["/api/devices/a%20b", "/api/devices/{id}", { id: "a b" }],
    ["/api/devices/a%2Fb/track", "/api/devices/{id}/track", { id: "a/b" }],
    ["/api/devices/{id}", "/api/devices/{id}", { id: "{id}" }],
    ["/api/devices/", undefined, {}],
    ["/api/devices/%E0", undefined, {}],
    ["/api/devices/a/b", undefined, {}],
    ["//", undefined, {}],
    ["", undefined, {}],
  ])("%s is at %s", (path, pattern, params) => {
    const found = match(path);
    expect(found?.endpoints[0]?.path).toBe(pattern);
    if (found) expect(found.params).toEqual(params);
  });

  test("of any kind are found, or not", () => {
    fc.assert(fc.property(fc.oneof(fc.webPath(), fc.string()), (path) => void match(path)));
  });
});

test("a problem for a connection that never became a request is HTTP", () => {
  const raw = rawProblem(new RequestError(429, "rate_limited", "Wait “a while”.", { retryAfterMs: 1_500 }));
  const [head = "", body = ""] = raw.split("\r\n\r\n");
  expect(head.split("\r\n")).toEqual([
    "HTTP/1.1 429 Too Many Requests",
    "retry-after: 2",
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ]);
  expect(JSON.parse(body)).toMatchObject({ status: 429, retry_after_s: 2, detail: "Wait “a while”." });
});

describe("what is turned away", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("is one line with numbers, and no more than one a minute", async () => {
    const output = memoryStream();
    const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output });
    const told = (): string[] => [...output.text().matchAll(/"msg":"([^"]*)"/g)].map(([, line = ""]) => line);
    const counted = createCountedLog(log);
    for (let time = 0; time < 500; time += 1) counted.note("requests that made no sense");
    counted.note("connections beyond the limit");
    vi.advanceTimersByTime(1_000);
    const first = "live: turned away 500 requests that made no sense, 1 connections beyond the limit";
    expect(told()).toEqual([first]);
    for (let time = 0; time < 59; time += 1) {
      counted.note("requests that made no sense");
      vi.advanceTimersByTime(1_000);
    }
    expect(told()).toEqual([first]);
    vi.advanceTimersByTime(1_000);
    expect(told()).toEqual([first, "live: turned away 59 requests that made no sense"]);
    counted.note("connections beyond the limit");
    counted.end();
    expect(told().at(-1)).toBe("live: turned away 1 connections beyond the limit");
    counted.end();
    expect(told()).toHaveLength(3);
  });
});
