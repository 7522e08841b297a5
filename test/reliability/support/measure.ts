/** A test for one cell of the matrix: it breaks something in a house, and measures. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import type { Fault, Place } from "../matrix.ts";
import { type Household, type HouseholdOptions, openHousehold } from "./household.ts";
import { nameOf, REPORT_FOLDER, report } from "./report.ts";
import type { Measured } from "./watch.ts";

type Scenario = (house: Household) => Promise<Measured>;

type Prepare = () => HouseholdOptions | Promise<HouseholdOptions>;
/** What is to be done before the daemon starts for the first time; `skip` says why this machine cannot. */
type Furnish = (house: Household, skip: (reason: string) => never) => Promise<void> | void;

/**
 * @param prepare what the house is like; a daemon runs in it, and all is well, when the scenario begins
 * @param isAlone whether it would break other tests of its file, too
 */
export function measure(
  where: Place,
  fault: Fault,
  scenario: Scenario,
  prepare: Prepare = () => ({}),
  furnish: Furnish = () => {},
  isAlone = false,
): void {
  test(`${where}: ${fault}`, { concurrent: !isAlone }, async ({ onTestFinished, skip }) => {
    mkdirSync(REPORT_FOLDER, { recursive: true });
    const house = await openHousehold(await prepare());
    onTestFinished(() => house.close(join(REPORT_FOLDER, `${nameOf(where, fault)}.log`)));
    await furnish(house, skip);
    await house.start();
    report({ where, fault, ...(await scenario(house)) });
  });
}

/** The same; but the daemon has run, and does not when the scenario begins. */
export function measureFromStop(
  where: Place,
  fault: Fault,
  scenario: Scenario,
  prepare?: Prepare,
  furnish?: Furnish,
): void {
  const stopped: Scenario = async (house) => {
    await house.daemon.stop();
    return await scenario(house);
  };
  measure(where, fault, stopped, prepare, furnish);
}
