/** How often the cloud was called: it is a small company's, and few calls are a promise. */
import type { Cloud } from "../../src/demo/cloud.ts";

export interface Counts {
  readonly logins: number;
  readonly listings: number;
  readonly upgrades: number;
  /** REST calls of any kind, but those for what was missed: they come some seconds later, and have tests of their own. */
  readonly calls: number;
}

/** Since the start of the cloud, or since `before`. */
export function countCalls({ calls, upgrades }: Cloud, before?: Counts): Counts {
  const of = (path: string): number => calls.filter((call) => call.path === path).length;
  return {
    logins: of("/user/login") - (before?.logins ?? 0),
    listings: of("/map/getccs") - (before?.listings ?? 0),
    upgrades: upgrades.length - (before?.upgrades ?? 0),
    calls: calls.filter(({ path }) => path !== "/map/getccpositions").length - (before?.calls ?? 0),
  };
}
