/** All sources, by the section of the configuration that they are made from. */
import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Scrubber } from "../lib/scrub.ts";
import { sourceName } from "../model/account.ts";
import type { CounterTable } from "../model/counters.ts";
import type { FirmwareKeep } from "./pettracer/firmware.ts";
import type { LoginKeep } from "./pettracer/login-gate.ts";
import type { AccountOptions } from "./pettracer/options.ts";
import type { Source } from "./source.ts";

interface Context {
  readonly log: Logger;
  readonly scrubber: Scrubber;
  readonly firmware?: FirmwareKeep;
  /** Where it is counted what they do; a command that ends soon needs none. */
  readonly metrics?: Metrics<CounterTable>;
  readonly logins?: LoginKeep;
  readonly isAsked?: boolean;
}

/** How many accounts there are decides whether they are numbered. */
export async function createSources(accounts: readonly AccountOptions[], context: Context): Promise<Source[]> {
  const { createPetTracerSource } = await import("./pettracer/source.ts");
  return accounts.map((account, index) => createPetTracerSource(sourceName(index, accounts.length), account, context));
}
