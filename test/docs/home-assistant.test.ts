/** What docs/home-assistant.md says of ids and messages is what there is. */
import { expect, test } from "vitest";
import { COLLAR_ENTITIES } from "../../src/entities/collar.ts";
import type { View } from "../../src/entities/entity.ts";
import { slug } from "../../src/entities/name.ts";
import { readOrder, understoodBy } from "../../src/publishers/homeassistant/mobile-app/order-text.ts";
import { sensorName } from "../../src/publishers/homeassistant/mobile-app/sensors.ts";
import { createCat } from "../support/cat.ts";
import { code, read, section, tableRows } from "./markdown.ts";

const text = section(read("docs/home-assistant.md"), "The route of mobile apps");
const DEVICE = "pettracer_14758";

/** Ids by MQTT, and on the route mobile_app, of the sensors that are on from the start. */
function idsOf(): [string, string][] {
  const shown = COLLAR_ENTITIES.filter(({ platform }) => platform === "sensor" || platform === "binary_sensor");
  return shown
    .filter(({ enabled }) => enabled !== false)
    .map(({ platform, key }) => {
      const name = sensorName(DEVICE, `${DEVICE}_${key}`) ?? "";
      return [`${platform}.oreo_${key}`, `${platform}.oreo_${slug(name)}`];
    });
}

test("the ids that differ from those by MQTT are told of, and no others", () => {
  const told = tableRows(text).map(([one, other]) => [code(one), code(other)] as const);
  const differing = idsOf().filter(([one, other]) => one !== other);
  expect(new Map(told.slice(1, 1 + differing.length))).toEqual(new Map(differing));
  expect(differing).toHaveLength(5);
});

const cat = createCat({ name: "Oreo", mode: 2, modeSet: 2, light: false, buzzer: false });
const collar = { ...cat.collar, offersPowerOff: true };
const view: View = { state: cat.store.state, preferredPosition: "station" };

test("each message that is told of is understood", () => {
  const rows = tableRows(text).filter(([, meaning = ""]) => !meaning.includes("oreo_"));
  const messages = rows.flatMap(([cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = ""]) => message));
  const alsoUnderstood = ["Mode: Fast", "LIGHT=on", "Live tracking on"];
  expect(alsoUnderstood.filter((one) => !text.includes(`\`${one}\``))).toEqual([]);
  const commands = [...messages, ...alsoUnderstood].filter((one) => one !== "mode");
  expect(commands).toContain("republish");
  expect(commands.filter((one) => readOrder(one, collar, view) === undefined)).toEqual([]);
});

test("everything that a cat understands is told of", () => {
  const first = understoodBy(collar, view)
    .split(", ")
    .map((one) => one.split(" ")[0] ?? "");
  expect(first.filter((word) => !text.includes(`\`${word}`))).toEqual([]);
});
