/** The documents' automations for the route mobile_app, in a real Home Assistant that has no MQTT. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCloud } from "../../src/demo/cloud.ts";
import { examplesCalled, fired, HASTY, paste, setSun, USERS_OWN } from "./support/automations.ts";
import { startHomeAssistant } from "./support/home-assistant.ts";
import { fixAt, HOME, OWNER } from "./support/house.ts";
import { MobileHouse } from "./support/mobile-house.ts";

const WAIT_MS = 30_000;
const MOCHI = 14701;
const LIGHT = "A light for Mochi, on the route of mobile apps";
const LOST = "Mochi is lost, on the route of mobile apps";
const SLOW = "Mochi is slow at night";

let house: MobileHouse;

beforeAll(async () => {
  const cloud = await startCloud();
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, { id: 10701, posLat: HOME.latitude, posLong: HOME.longitude });
  const details = { name: "Mochi" };
  cloud.addCollar(OWNER.login, { id: MOCHI, mode: 2, modeSet: 2, home: false, details, lastPos: fixAt(900) });
  cloud.setPollDelay(MOCHI, 0);
  house = new MobileHouse("examples-mobile-app", cloud, await startHomeAssistant({ config: USERS_OWN }));
  house.start({ home_assistant: { controls: true } });
  await house.home.waitForState("binary_sensor.mochi_at_home", "off", WAIT_MS);
  await house.home.waitForState("select.mochi_mode", "Normal", WAIT_MS);
  await house.settled();
  await setSun(house.home, "below_horizon");
});

afterAll(async () => {
  await house?.close();
});

test("a cat that comes home after dark gets its light; a restart of the daemon does not switch it on", async () => {
  await paste(house.home, [...examplesCalled(LIGHT, LOST), HASTY]);
  house.cloud.push(MOCHI, { home: true });
  await house.home.waitForState("light.hall", "on", WAIT_MS);
  const named = async (): Promise<string[]> => [...(await fired(house.home)).keys()].toSorted();
  await expect.poll(named, { timeout: WAIT_MS }).toEqual([LIGHT, String(HASTY.value.alias)].toSorted());
  const before = await fired(house.home);
  await house.home.callService("light", "turn_off", {}, { entity_id: "light.hall" });
  await house.restart({ home_assistant: { controls: true } });
  house.cloud.push(MOCHI, { bat: 3800 });
  await house.home.waitForState("sensor.mochi_battery", "42", WAIT_MS);
  expect((await fired(house.home)).get(LIGHT)).toBe(before.get(LIGHT));
  await house.home.waitForState("light.hall", "off", WAIT_MS);
});

test("automations tell a cat what to do: by a message to it, and by the event", async () => {
  await paste(house.home, examplesCalled(LOST, SLOW));
  const run = async (name: string): Promise<void> => {
    await house.home.callService("automation", "trigger", {}, { entity_id: `automation.${name}` });
  };
  await run("mochi_is_lost_on_the_route_of_mobile_apps");
  await house.home.waitForState("sensor.mochi_mode", "Live", WAIT_MS);
  await run("mochi_is_slow_at_night");
  await house.home.waitForState("sensor.mochi_mode", "Slow", WAIT_MS);
  expect(await house.home.logComplaints()).toEqual([]);
});
