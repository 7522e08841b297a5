/** Every fault at a real mosquitto, and on the way to it. */
import { expect, vi } from "vitest";
import { until } from "../support/until.ts";
import type { Fault } from "./matrix.ts";
import { expectInStep, plugIn } from "./support/broker.ts";
import { BROKER_HOST, type Household, type HouseholdOptions } from "./support/household.ts";
import { identities } from "./support/identities.ts";
import { forbidding, type Impostor, inThePlaceOf, refusing, silent, webServer } from "./support/impostor.ts";
import { measure } from "./support/measure.ts";
import { BACK_MS, NOTICED_MS, SOON_MS } from "./support/promises.ts";

vi.setConfig({ maxConcurrency: 12 });

/** A refused login is tried twice a minute: whoever mends it sits before it. */
const REFUSED_MS = 35_000;

interface Breakage {
  readonly strike: (house: Household) => unknown;
  /** The warning that tells of it. */
  readonly told: RegExp;
  /** Ends it; what passes by itself has none. */
  readonly heal?: (house: Household) => Promise<void> | void;
  readonly wholeWithinMs?: number;
  readonly prepare?: () => HouseholdOptions | Promise<HouseholdOptions>;
  /** How many connections there may be from its beginning to its end. */
  readonly most?: number;
}

function broken(fault: Fault, { strike, told, heal, wholeWithinMs = SOON_MS, prepare, most = 8 }: Breakage): void {
  const options = async (): Promise<HouseholdOptions> => {
    const { config, ...others } = (await prepare?.()) ?? {};
    return { ...others, config: { home: { flap_time: "0s" }, ...config } };
  };
  measure(
    "the broker",
    fault,
    async (house) => {
      const before = house.brokerLine.count;
      const watch = await house.watch(() => strike(house));
      plugIn(house);
      const noticedMs = await watch.noticed(NOTICED_MS, told);
      await heal?.(house);
      if (heal) watch.over();
      const wholeMs = await watch.whole(wholeWithinMs);
      // The broker is no reason to trouble PetTracer.
      expect(watch.calls()).toMatchObject({ logins: 0, streams: 0 });
      expect(house.brokerLine.count - before).toBeLessThanOrEqual(most);
      const row = watch.row({ noticedMs, wholeMs });
      await expectInStep(house);
      return row;
    },
    options,
  );
}

broken("refused", {
  strike({ brokerLine }) {
    brokerLine.refuse();
    brokerLine.hangUp();
  },
  told: /ECONNREFUSED/,
  heal: ({ brokerLine }) => brokerLine.accept(),
});

broken("reset", { strike: ({ brokerLine }) => expect(brokerLine.reset()).toBe(1), told: /ECONNRESET/ });

broken("clean close", {
  strike: ({ brokerLine }) => expect(brokerLine.hangUp()).toBe(1),
  told: /has closed the connection/,
});

broken("half-open (frozen)", {
  strike: ({ brokerLine }) => brokerLine.freeze(),
  told: /has not said a word for 30 s/,
  heal: ({ brokerLine }) => brokerLine.release(),
});

broken("cut in the middle of a frame", {
  // A byte of the four in which the broker confirms.
  strike: ({ brokerLine }) => brokerLine.cutAfter(1),
  told: /has closed the connection|ECONNRESET|cannot be reached/,
  heal: ({ brokerLine }) => brokerLine.accept(),
});

broken("DNS gone", {
  strike({ computer, brokerLine }) {
    computer.forget(BROKER_HOST);
    brokerLine.reset();
  },
  told: /ENOTFOUND broker\.test/,
  heal: ({ computer }) => computer.forget(),
});

broken("short outage", {
  strike({ brokerLine }) {
    brokerLine.refuse();
    brokerLine.reset();
  },
  told: /ECONNREFUSED/,
  async heal(house) {
    await until(() => delaysIn(house).some((delayS) => delayS > 2.5), "delays that have grown");
    await house.brokerLine.accept();
  },
});

broken("long outage", {
  strike({ brokerLine }) {
    brokerLine.refuse();
    brokerLine.reset();
  },
  told: /ECONNREFUSED/,
  async heal(house) {
    await until(() => delaysIn(house).some((delayS) => delayS > 15), "delays that have grown", 120_000);
    await house.brokerLine.accept();
  },
  wholeWithinMs: BACK_MS,
});

/** The delays that were told so far, seconds. */
function delaysIn(house: Household): number[] {
  return house.log().map(({ msg }) => Number(/next try in ([\d.]+) s/.exec(msg)?.[1] ?? 0));
}

function replaced(start: () => Promise<Impostor>): Pick<Breakage, "strike" | "heal"> {
  return inThePlaceOf(
    ({ brokerLine }) => brokerLine,
    ({ broker }) => broker.port,
    start,
  );
}

const NOT_AUTHORIZED = 5;
const UNAVAILABLE = 3;

broken("401", { ...replaced(() => refusing(NOT_AUTHORIZED)), told: /refused the login/, wholeWithinMs: REFUSED_MS });
broken("403", { ...replaced(forbidding), told: /refused a subscription: check the user's rights/ });
broken("503", { ...replaced(() => refusing(UNAVAILABLE)), told: /Server unavailable/ });
broken("hang", { ...replaced(silent), told: /did not answer within 14 s/ });
broken("HTML instead of JSON", { ...replaced(() => webServer()), told: /is no MQTT broker/ });

broken("TLS failure", {
  async prepare() {
    const { right, authority } = await identities();
    return { brokerIdentity: right, config: { mqtt: { ca: authority } } };
  },
  async strike({ brokerLine }) {
    brokerLine.identify((await identities()).expired);
    brokerLine.hangUp();
  },
  told: /its certificate has expired/,
  async heal(house) {
    const { brokerLine } = house;
    const { unknown, right } = await identities();
    brokerLine.identify(unknown);
    const sentence = /its certificate is signed by nobody whom this computer knows: set mqtt\.ca/;
    await until(() => house.log().some(({ msg }) => sentence.test(msg)), "a word about the authority");
    brokerLine.identify(right);
  },
});

broken("restarted, and has forgotten all", {
  strike: ({ broker }) => broker.restart(),
  told: /has closed the connection|ECONNREFUSED|ECONNRESET/,
});

for (const [fault, pace] of [
  ["slow: 2 s latency", { latencyMs: 2_000 }],
  ["slow: 1 kB/s", { bytesPerS: 1_000 }],
] as const) {
  measure(
    "the broker",
    fault,
    async (house) => {
      const watch = await house.watch(() => {
        house.brokerLine.pace(pace);
        // The worst of it: everything has to go through once more.
        house.brokerLine.reset();
      });
      plugIn(house);
      const noticedMs = await watch.noticed(SOON_MS, /ECONNRESET/);
      const before = house.brokerLine.count;
      const wholeMs = await watch.whole(150_000);
      expect(house.brokerLine.count - before).toBeLessThanOrEqual(1);
      const row = watch.row({ noticedMs, wholeMs });
      house.brokerLine.pace({});
      await expectInStep(house);
      return row;
    },
    () => ({ config: { home: { flap_time: "0s" } } }),
  );
}
