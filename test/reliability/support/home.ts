/** One real Home Assistant for all tests of a file: each has a cat of its own, and a stretch of network of its own. */
import { type HomeAssistant, startHomeAssistant } from "../../e2e/support/home-assistant.ts";
import { OWNER } from "../../support/house.ts";
import { type Identity, type Relay, startRelay } from "../../support/relay.ts";
import { HOME_HOST, type Household, type HouseholdOptions } from "./household.ts";

/** Home Assistant gives the entities of a route `mobile_app` by the pet's name. */
interface Guest {
  readonly line: Relay;
  readonly name: string;
}

const FIRST_COLLAR = 20_000;

export interface Home {
  readonly instance: HomeAssistant;
  /** A house that publishes there, by the route of mobile apps. */
  prepare(more?: {
    readonly identity?: Identity;
    readonly config?: object;
    readonly token?: string;
  }): Promise<HouseholdOptions>;
  /** The way from this house to Home Assistant. */
  lineOf(house: Household): Relay;
  close(): Promise<void>;
}

export async function startHome(): Promise<Home> {
  const instance = await startHomeAssistant();
  const guests = new Map<number, Guest>();
  let nextCollar = FIRST_COLLAR;
  return {
    instance,
    async prepare({ identity, config = {}, token = instance.adminToken } = {}) {
      const collar = nextCollar;
      nextCollar += 1;
      const name = `Cat ${collar}`;
      const line = await startRelay(instance.port, identity);
      guests.set(collar, { line, name });
      const url = `http${identity ? "s" : ""}://${HOME_HOST}:${line.port}`;
      return {
        collar,
        furnish(cloud) {
          cloud.addAccount(OWNER);
          cloud.addCollar(OWNER.login, { id: collar, mode: 2, modeSet: 2, chg: 0, bat: 4_000, details: { name } });
        },
        arrival: (latitude, ms) =>
          instance.waitForState(
            `device_tracker.cat_${collar}`,
            ({ attributes }) => Number(attributes.latitude) >= latitude,
            ms,
          ),
        config: { mqtt: false, home_assistant: { url, token, route: "mobile_app", ...config } },
      };
    },
    lineOf({ options }) {
      const guest = guests.get(options.collar ?? 0);
      if (guest === undefined) throw new Error("this house publishes elsewhere");
      return guest.line;
    },
    async close() {
      for (const { line } of guests.values()) await line.close();
      await instance.stop();
    },
  };
}
