/**
 * The documents' automations, the blueprint and the card in a real Home Assistant with MQTT: it takes all of them
 * without a word, some of them do what they say, and a restart of the daemon sets off none.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCloud } from "../../src/demo/cloud.ts";
import { codeBlocks, read } from "../docs/markdown.ts";
import { isRecord, readYaml } from "../docs/snippets.ts";
import {
  automationStates,
  BLUEPRINT,
  EXAMPLES,
  examplesCalled,
  fired,
  HASTY,
  paste,
  setSun,
  USERS_OWN,
} from "./support/automations.ts";
import { openBrowser, openHomeAssistant, screenshot, waitForText } from "./support/browser.ts";
import { startHomeAssistant } from "./support/home-assistant.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, House, OWNER } from "./support/house.ts";
import { startMosquitto } from "./support/mosquitto.ts";

const WAIT_MS = 30_000;
const MOCHI = 14701;
const BISCUIT = 14702;
/** Those that need nothing but what there is in this house, which has no telephone. */
const LIGHTS = ["A light for Mochi", "A light for all cats"];
const AT_ONCE = { home: { flap_time: "0s" } };

let house: House;

async function waitFor(entityId: string, state: string | ((seen: EntityState) => boolean)): Promise<EntityState> {
  return await house.home.waitForState(entityId, state, WAIT_MS);
}

async function hall(): Promise<string | undefined> {
  return (await house.home.states()).get("light.hall")?.state;
}

beforeAll(async () => {
  const [cloud, broker] = await Promise.all([startCloud(), startMosquitto()]);
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, { id: 10701, posLat: HOME.latitude, posLong: HOME.longitude });
  for (const [id, name] of [
    [MOCHI, "Mochi"],
    [BISCUIT, "Biscuit"],
  ] as const)
    cloud.addCollar(OWNER.login, { id, mode: 2, modeSet: 2, home: false, details: { name }, lastPos: fixAt(900) });
  const home = await startHomeAssistant({ mqtt: { host: "127.0.0.1", port: broker.port }, config: USERS_OWN });
  house = new House("examples", cloud, broker, home);
  house.start(AT_ONCE);
  for (const cat of ["mochi", "biscuit"]) await waitFor(`binary_sensor.${cat}_at_home`, "off");
  await setSun(home, "above_horizon");
});

afterAll(async () => {
  await house?.close();
});

test("Home Assistant takes all automations, and has no complaint", async () => {
  const from = house.home.log().length;
  await paste(house.home, EXAMPLES);
  // One that cannot be set up is unavailable.
  expect((await automationStates(house.home)).filter(({ state }) => state !== "on")).toEqual([]);
  expect(await house.home.logComplaints(from)).toEqual([]);
  expect([...(await fired(house.home)).keys()]).toEqual([]);
});

test("Home Assistant offers the blueprint", async () => {
  const request = { type: "blueprint/list", domain: "automation" };
  const found = await house.home.api.call<Record<string, { metadata?: { name?: string } }>>(request);
  expect(found[`pawline/${BLUEPRINT}`]?.metadata?.name).toBe("A cat comes home");
});

test("the card for the dashboard shows the cat and its controls", async () => {
  const blocks = codeBlocks(read("docs/examples.md")).filter(({ language }) => language === "yaml");
  const card = blocks.map((block) => readYaml(block.text)).find((value) => isRecord(value) && "cards" in value);
  const { api } = house.home;
  await api.call({ type: "lovelace/dashboards/create", url_path: "the-cats", title: "Cats", mode: "storage" });
  const config = { views: [{ title: "Cats", cards: [card] }] };
  await api.call({ type: "lovelace/config/save", url_path: "the-cats", config });
  const browser = await openBrowser();
  try {
    const page = await openHomeAssistant(browser, house.home, "/the-cats/0", { width: 800, height: 1200 });
    for (const text of ["Find Mochi", "Live tracking", "On its way to the collar"])
      await waitForText(page, text, WAIT_MS);
    await page.locator("hui-map-card ha-map").first().waitFor({ timeout: WAIT_MS });
    expect(await page.locator("hui-error-card, hui-warning").count()).toBe(0);
    await screenshot(page, "examples-card.png");
  } finally {
    await browser.close();
  }
});

test("a cat that comes home by day switches nothing on", async () => {
  await paste(house.home, examplesCalled(...LIGHTS));
  house.cloud.push(BISCUIT, { home: true });
  await waitFor("event.biscuit_activity", ({ attributes }) => attributes.event_type === "came_home");
  expect((await fired(house.home)).size).toBe(0);
  expect(await hall()).toBe("off");
});

test("a cat that comes home after dark gets its light", async () => {
  await setSun(house.home, "below_horizon");
  house.cloud.push(MOCHI, { home: true });
  await waitFor("light.hall", "on");
  await expect
    .poll(async () => [...(await fired(house.home)).keys()].toSorted(), { timeout: WAIT_MS })
    .toEqual(LIGHTS.toSorted());
});

test("a restart of the daemon sets off none of them", async () => {
  await paste(house.home, [...EXAMPLES, HASTY]);
  await house.home.callService("light", "turn_off", {}, { entity_id: "light.hall" });
  const before = await fired(house.home);
  const from = house.home.log().length;
  await house.daemon.stop();
  await waitFor("event.mochi_activity", "unavailable");
  house.start(AT_ONCE);
  for (const cat of ["mochi", "biscuit"]) await waitFor(`binary_sensor.${cat}_at_home`, "on");
  await waitFor("event.mochi_activity", ({ state }) => state !== "unavailable");
  // What comes behind everything that the start has sent.
  house.cloud.push(MOCHI, { bat: 3800 });
  await waitFor("sensor.mochi_battery", "42");
  const after = await fired(house.home);
  expect(after.delete(String(HASTY.value.alias))).toBe(true);
  expect(after).toEqual(before);
  expect(await hall()).toBe("off");
  expect(await house.home.logComplaints(from)).toEqual([]);
});
