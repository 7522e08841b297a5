/** A collar as the sensors of a mobile app: what Home Assistant would refuse, in silence, is never said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COLLAR_ENTITIES } from "../../../src/entities/collar.ts";
import type { View } from "../../../src/entities/entity.ts";
import type { Collar } from "../../../src/model/device.ts";
import { bodyOf, controlsOf } from "../../../src/publishers/homeassistant/mobile-app/control-bodies.ts";
import { locationOf } from "../../../src/publishers/homeassistant/mobile-app/location.ts";
import { sensorName, sensorsOf, unavailableSensors } from "../../../src/publishers/homeassistant/mobile-app/sensors.ts";
import { collarReport, NEW_COLLAR, NOON } from "../../support/arbitraries.ts";

const VIEW: View = { state: new Map(), preferredPosition: "station" };
const FIX = { latitude: 51.51, longitude: -0.1, accuracyM: 12, satellites: 7, measuredAt: NOON };
const COLLAR: Collar = {
  ...NEW_COLLAR,
  name: "Oreo",
  mode: 2,
  modeSet: 2,
  light: true,
  buzzer: false,
  batteryPercent: 67,
  charging: false,
  atHome: false,
  status: 4,
  fix: FIX,
};

function sensor(key: string, collar = COLLAR, exclude: readonly string[] = []) {
  const found = sensorsOf(collar, VIEW, exclude).find((one) => one.key === key);
  if (!found) throw new Error(`There is no ${key}`);
  return found;
}

describe("a sensor", () => {
  test("is there for each row that can be read, and for no other", () => {
    const expected = COLLAR_ENTITIES.filter(({ platform }) => {
      return ["sensor", "binary_sensor", "select", "switch"].includes(platform);
    }).map(({ key }) => key);
    expect(sensorsOf(COLLAR, VIEW, []).map(({ key }) => key)).toEqual(expected);
  });

  test("says all that its row says", () => {
    expect(sensor("battery").description).toEqual({
      type: "sensor",
      unique_id: "collar_battery",
      state: 67,
      icon: null,
      attributes: {},
      name: "Battery",
      device_class: "battery",
      unit_of_measurement: "%",
      state_class: "measurement",
      entity_category: "diagnostic",
    });
    expect(sensor("battery").state).toEqual({
      type: "sensor",
      unique_id: "collar_battery",
      state: 67,
      icon: null,
      attributes: {},
    });
  });

  test("shows a select as text and a switch as on or off, and is never a setting", () => {
    expect(sensor("mode").description).toEqual({
      type: "sensor",
      unique_id: "collar_mode",
      name: "Mode",
      state: "Normal",
      icon: "mdi:speedometer",
      attributes: {},
    });
    expect(sensor("light").description).toMatchObject({ type: "binary_sensor", state: true, icon: "mdi:led-on" });
  });

  test("is disabled where few users want it", () => {
    expect(sensor("status").description.disabled).toBe(true);
    expect(sensor("battery").description.disabled).toBeUndefined();
  });

  test("knows what is excluded, by key, or by pet and key", () => {
    expect(sensor("battery").isExcluded).toBe(false);
    for (const one of ["battery", "oreo/battery", "collar/battery", "7/battery"])
      expect(sensor("battery", COLLAR, [one]).isExcluded).toBe(true);
    expect(sensor("battery", COLLAR, ["mia/battery"]).isExcluded).toBe(false);
  });

  test("is unavailable while none of its accounts is heard of", () => {
    const silent = { ...COLLAR, accounts: { one: false, two: false } };
    expect(new Set(sensorsOf(silent, VIEW, []).map(({ state }) => state.state))).toEqual(new Set(["unavailable"]));
    expect(sensor("battery", { ...COLLAR, accounts: { one: false, two: true } }).state.state).toBe(67);
  });

  test("is unknown where its number is none", () => {
    expect(sensor("battery", { ...COLLAR, batteryPercent: Number.NaN }).state.state).toBeNull();
    expect(sensor("status", { ...COLLAR, status: Number.POSITIVE_INFINITY }).state.state).toBeNull();
  });

  test("is no longer than Home Assistant can hold", () => {
    expect(sensor("firmware_version", { ...COLLAR, firmware: "v".repeat(1_000) }).state.state).toHaveLength(255);
  });

  test("is something that Home Assistant takes, whatever the cloud says", () => {
    fc.assert(
      fc.property(collarReport, (report) => {
        const { fix: _, ...rest } = report;
        const collar: Collar = { ...NEW_COLLAR, ...rest };
        const sensors = sensorsOf(collar, VIEW, []);
        expect(sensors).toHaveLength(sensorsOf(COLLAR, VIEW, []).length);
        for (const { description } of sensors) {
          expect(description.name).not.toBe("");
          expect(description.entity_category ?? "diagnostic").toBe("diagnostic");
          expect(description.device_class).not.toBe("enum");
        }
      }),
    );
  });
});

test("all sensors of a pet that is gone are unavailable", () => {
  const states = unavailableSensors("collar");
  expect(states.map(({ unique_id }) => unique_id)).toEqual(
    sensorsOf(COLLAR, VIEW, []).map(({ state }) => state.unique_id),
  );
  expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["unavailable"]));
});

test("a sensor's name is found by its id", () => {
  expect(sensorName("collar", "collar_battery")).toBe("Battery");
  expect(sensorName("collar", "other_battery")).toBeUndefined();
  expect(sensorName("collar", "collar_activity")).toBeUndefined();
});

describe("a location", () => {
  test("is the whole of it, each time", () => {
    expect(locationOf(COLLAR, VIEW)).toEqual({ gps: [51.51, -0.1], gps_accuracy: 12, battery: 67 });
  });

  test("is left out while there is none, or none on this earth", () => {
    const { fix: _, ...unknown } = COLLAR;
    expect(locationOf(unknown, VIEW)).toBeUndefined();
    for (const wrong of [
      { latitude: 91 },
      { latitude: Number.NaN },
      { longitude: 181 },
      { accuracyM: -1 },
      { accuracyM: Number.NaN },
    ])
      expect(locationOf({ ...COLLAR, fix: { ...FIX, ...wrong } }, VIEW)).toBeUndefined();
  });
});

describe("a control", () => {
  test("is there for what can be asked of the collar, and is not excluded", () => {
    const keys = (collar: Collar, exclude: readonly string[] = []): string[] =>
      controlsOf(collar, VIEW, exclude).map(({ key }) => key);
    expect(keys(COLLAR)).toEqual(["mode", "live", "find", "light", "buzzer"]);
    expect(keys({ ...COLLAR, offersPowerOff: true })).toContain("power_off");
    expect(keys(COLLAR, ["light"])).not.toContain("light");
    expect(keys(NEW_COLLAR)).toEqual([]);
  });

  test("has nothing of the pet's name in a template", () => {
    const controls = controlsOf({ ...COLLAR, name: "{{ 1 / 0 }}" }, VIEW, []);
    for (const control of controls) {
      const { title, ...rest } = control;
      expect(title).toMatch(/^\{\{ 1 \/ 0 \}\} /);
      expect(JSON.stringify([rest, bodyOf(control, "collar", "device", "sensor.x")])).not.toContain("1 / 0");
    }
  });

  test("follows the sensor by its id, and is available with it", () => {
    const [mode] = controlsOf(COLLAR, VIEW, []);
    if (!mode) throw new Error("There is no mode");
    expect(bodyOf(mode, "collar", "device", "sensor.x")).toEqual({
      device_id: "device",
      additional_options: { availability: "{{ has_value('sensor.x') }}" },
      state: "{{ states('sensor.x') }}",
      options:
        "{{ (['Slow', 'Slow+', 'Normal', 'Normal+', 'Fast', 'Fast+', 'Live'] + [states('sensor.x')]) | unique | list }}",
      select_option: [
        { event: "pawline_command", event_data: { device: "collar", command: "mode", value: "{{ option }}" } },
      ],
    });
  });
});
