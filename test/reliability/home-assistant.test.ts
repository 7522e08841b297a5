/** Every fault at a real Home Assistant, and on the way to it; the cats come by the route of mobile apps. */
import { afterAll, beforeAll, expect, vi } from "vitest";
import { until } from "../support/until.ts";
import type { Fault } from "./matrix.ts";
import { type Home, startHome } from "./support/home.ts";
import { HOME_HOST, type Household, type HouseholdOptions } from "./support/household.ts";
import { identities } from "./support/identities.ts";
import { type Impostor, inThePlaceOf, silent, webServer } from "./support/impostor.ts";
import { measure } from "./support/measure.ts";
import { BACK_MS, NOTICED_MS, SOON_MS } from "./support/promises.ts";

vi.setConfig({ maxConcurrency: 12, hookTimeout: 280_000 });

/** For a position, with what stands in the queue before it, at 1 kB/s. */
const SLOW_MS = 60_000;
/** By then Home Assistant has been asked whether it is there, and the answer was waited for. */
const PINGED_MS = 32_000;
/** Home Assistant's own start, on a machine that has much else to do. */
const START_MS = 60_000;

let home: Home;

beforeAll(async () => {
  home = await startHome();
});
afterAll(() => home?.close());

const lineOf = (house: Household): ReturnType<Home["lineOf"]> => home.lineOf(house);

interface Breakage {
  readonly strike: (house: Household) => unknown;
  readonly told: RegExp;
  readonly heal?: (house: Household) => Promise<void> | void;
  readonly wholeWithinMs?: number;
  readonly prepare?: () => Promise<HouseholdOptions>;
  /** How many connections there may be, from its beginning to its end; a position is one of them. */
  readonly most?: number;
  readonly isAlone?: boolean;
}

function broken(
  fault: Fault,
  { strike, told, heal, wholeWithinMs = SOON_MS, prepare = () => home.prepare(), most = 12, isAlone }: Breakage,
): void {
  measure(
    "Home Assistant",
    fault,
    async (house) => {
      const before = lineOf(house).count;
      const watch = await house.watch(() => strike(house));
      house.cloud.push(house.options.collar ?? 0, { bat: 3_600 });
      const noticedMs = await watch.noticed(NOTICED_MS, told);
      await heal?.(house);
      if (heal) watch.over();
      const tries = lineOf(house).count - before;
      const wholeMs = await watch.whole(wholeWithinMs);
      // Home Assistant is no reason to trouble PetTracer, and bans who calls it without end.
      expect(watch.calls()).toMatchObject({ logins: 0, streams: 0 });
      expect(tries).toBeLessThanOrEqual(most);
      const battery = `sensor.cat_${house.options.collar}_battery`;
      await home.instance.waitForState(battery, "17", START_MS);
      const row = watch.row({ noticedMs, wholeMs });
      return {
        ...row,
        userSees: row.userSees.replace("the pets stay available", "the cat stays where it was meanwhile"),
      };
    },
    prepare,
    () => {},
    isAlone,
  );
}

broken("refused", {
  strike(house) {
    lineOf(house).refuse();
    lineOf(house).cut();
  },
  told: /ECONNREFUSED/,
  heal: (house) => lineOf(house).accept(),
});
broken("reset", { strike: (house) => lineOf(house).reset(), told: /next try/ });
broken("clean close", {
  strike: (house) => lineOf(house).hangUp(),
  told: /closed the connection|the connection was lost/,
});
broken("half-open (frozen)", {
  strike: (house) => lineOf(house).freeze(),
  told: /no answer to a ping within 10 s|did not answer|does not answer/,
  heal: (house) => lineOf(house).release(),
});
broken("cut in the middle of a frame", {
  strike: (house) => lineOf(house).cutAfter(3),
  told: /homeassistant: .*next try/,
  heal: (house) => lineOf(house).accept(),
});
broken("DNS gone", {
  strike(house) {
    house.computer.forget(HOME_HOST);
    lineOf(house).cut();
  },
  told: /ENOTFOUND home-assistant\.test/,
  heal: ({ computer }) => computer.forget(),
});
broken("short outage", {
  strike(house) {
    lineOf(house).refuse();
    lineOf(house).cut();
  },
  told: /ECONNREFUSED/,
  async heal(house) {
    await until(() => delaysIn(house).some((delayS) => delayS > 2.5), "delays that have grown");
    await lineOf(house).accept();
  },
});
broken("long outage", {
  strike(house) {
    lineOf(house).refuse();
    lineOf(house).cut();
  },
  told: /ECONNREFUSED/,
  async heal(house) {
    await until(() => delaysIn(house).filter((delayS) => delayS > 9).length >= 2, "delays that have grown", 120_000);
    await lineOf(house).accept();
  },
  wholeWithinMs: BACK_MS,
});

/** The delays that were told so far, seconds. */
function delaysIn(house: Household): number[] {
  return house.log().map(({ msg }) => Number(/next try in ([\d.]+) s/.exec(msg)?.[1] ?? 0));
}

function replaced(start: () => Promise<Impostor>): Pick<Breakage, "strike" | "heal"> {
  return inThePlaceOf(lineOf, () => home.instance.port, start);
}

broken("403", { ...replaced(() => webServer("403 Forbidden")), told: /HTTP 403, it has banned our address/ });
broken("429 with Retry-After", {
  ...replaced(() => webServer("429 Too Many Requests", "Retry-After: 7")),
  told: /HTTP 429, too many requests; next try in 7\.0 s/,
  wholeWithinMs: 12_000,
});
broken("500", { ...replaced(() => webServer("500 Internal Server Error")), told: /HTTP 500/ });
broken("503", { ...replaced(() => webServer("503 Service Unavailable")), told: /HTTP 503, it is starting/ });
broken("HTML instead of JSON", { ...replaced(() => webServer("200 OK")), told: /HTTP 200, a web page/ });
broken("hang", { ...replaced(silent), told: /handshake has timed out|did not answer in time/, wholeWithinMs: SOON_MS });

broken("TLS failure", {
  async prepare() {
    const { right, authority } = await identities();
    return await home.prepare({ identity: right, config: { ca: authority } });
  },
  async strike(house) {
    lineOf(house).identify((await identities()).expired);
    lineOf(house).cut();
  },
  told: /its certificate has expired/,
  async heal(house) {
    const { unknown, right } = await identities();
    lineOf(house).identify(unknown);
    const sentence = /its certificate is signed by nobody whom this computer knows: set home_assistant\.ca/;
    await until(() => house.log().some(({ msg }) => sentence.test(msg)), "a word about the authority", START_MS);
    lineOf(house).identify(right);
  },
});

/** A token of its own, that somebody deletes on the user's page. */
async function revocable(name: string): Promise<HouseholdOptions> {
  const call = { type: "auth/long_lived_access_token", client_name: name, lifespan: 1 };
  return await home.prepare({ token: await home.instance.api.call<string>(call) });
}

async function revoke(name: string): Promise<void> {
  const all = await home.instance.api.call<{ id: string; client_name: string | null }[]>({
    type: "auth/refresh_tokens",
  });
  const id = all.find((token) => token.client_name === name)?.id;
  await home.instance.api.call({ type: "auth/delete_refresh_token", refresh_token_id: id });
}

/** The user makes a new token, and writes it into the configuration. */
function renew(house: Household): void {
  const { home_assistant: section } = house.config as { home_assistant: object };
  house.reconfigure({ home_assistant: { ...section, token: home.instance.adminToken } });
}

const REFUSED = /refused the token: make a new .*home_assistant\.token.*Not tried again for 60 min/;

broken("token expired while connected", {
  prepare: () => revocable("connected"),
  strike: () => revoke("connected"),
  told: REFUSED,
  heal: renew,
  most: 2,
});
broken("token expired while down", {
  prepare: () => revocable("down"),
  async strike(house) {
    lineOf(house).refuse();
    lineOf(house).cut();
    await revoke("down");
    await lineOf(house).accept();
  },
  told: REFUSED,
  heal: renew,
  most: 2,
});
broken("401", {
  prepare: () => revocable("wrong"),
  async strike(house) {
    const { home_assistant: section } = house.config as { home_assistant: object };
    house.reconfigure({ home_assistant: { ...section, token: "a token that never was one" } });
  },
  told: REFUSED,
  heal: renew,
  most: 2,
});

broken("slow: 2 s latency", {
  strike(house) {
    lineOf(house).pace({ latencyMs: 2_000 });
    lineOf(house).cut();
  },
  told: /next try/,
  wholeWithinMs: 150_000,
});

// Not from the beginning: the list of all entities, which is asked for then, may be as long as the home is large.
measure(
  "Home Assistant",
  "slow: 1 kB/s",
  async (house) => {
    const watch = await house.watch(() => lineOf(house).pace({ bytesPerS: 1_000 }));
    const wholeMs = await watch.whole(SLOW_MS);
    // Long enough for a ping among the news, each of which takes its share of the kilobyte.
    await house.whole(SLOW_MS);
    const from = performance.now();
    await until(() => performance.now() - from > PINGED_MS, "a ping", SLOW_MS);
    await house.whole(SLOW_MS);
    expect(watch.lines().filter(({ level }) => level !== "info")).toEqual([]);
    return { ...watch.row({ noticedMs: null, wholeMs }), userSees: "Nothing in the log; the cat is some seconds late" };
  },
  () => home.prepare(),
);

broken("restarted, and has forgotten all", {
  strike: () => home.instance.stop(),
  told: /ECONNREFUSED|ECONNRESET|closed the connection/,
  heal: () => home.instance.start(),
  wholeWithinMs: START_MS,
  isAlone: true,
  most: 30,
});
