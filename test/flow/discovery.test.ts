/** What Home Assistant is told of each device: whole discovery messages, literally. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { VERSION } from "../../src/lib/about.ts";
import {
  account,
  configOf,
  type House,
  moveIn,
  OREO,
  OWNER,
  oreo,
  STATION,
  station,
  stationAndOreo,
  topicsOf,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const origin = { name: "Pawline", sw_version: VERSION };

function availabilityOf(device: string) {
  return {
    availability: [{ topic: "pawline/bridge/state" }, { topic: `pawline/${device}/availability` }],
    availability_mode: "all",
    qos: 1,
  };
}

function readsState(key: string, device = "pettracer_14758") {
  return { state_topic: `pawline/${device}/state`, value_template: `{{ value_json.${key} }}` };
}

const OREO_COMPONENTS = {
  tracker: {
    platform: "device_tracker",
    unique_id: "pettracer_14758_tracker",
    default_entity_id: "device_tracker.oreo",
    name: null,
    icon: "mdi:cat",
    json_attributes_topic: "pawline/pettracer_14758/position",
    source_type: "gps",
  },
  at_home: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_at_home",
    default_entity_id: "binary_sensor.oreo_at_home",
    name: "At home",
    device_class: "presence",
    ...readsState("at_home"),
    json_attributes_topic: "pawline/pettracer_14758/state",
    json_attributes_template: "{{ {'color': value_json.color} | tojson }}",
    payload_on: true,
    payload_off: false,
  },
  activity: {
    platform: "event",
    unique_id: "pettracer_14758_activity",
    default_entity_id: "event.oreo_activity",
    name: "Activity",
    icon: "mdi:paw",
    state_topic: "pawline/pettracer_14758/event",
    event_types: [
      "came_home",
      "left_home",
      "battery_low",
      "charging_started",
      "charging_finished",
      "live_started",
      "live_ended",
      "mode_changed",
      "command_failed",
      "contact_lost",
      "contact_restored",
    ],
  },
  battery: {
    platform: "sensor",
    unique_id: "pettracer_14758_battery",
    default_entity_id: "sensor.oreo_battery",
    device_class: "battery",
    unit_of_measurement: "%",
    state_class: "measurement",
    entity_category: "diagnostic",
    ...readsState("battery"),
  },
  charging: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_charging",
    default_entity_id: "binary_sensor.oreo_charging",
    device_class: "battery_charging",
    entity_category: "diagnostic",
    ...readsState("charging"),
    payload_on: true,
    payload_off: false,
  },
  last_fix: {
    platform: "sensor",
    unique_id: "pettracer_14758_last_fix",
    default_entity_id: "sensor.oreo_last_fix",
    name: "Last fix",
    device_class: "timestamp",
    icon: "mdi:crosshairs-gps",
    ...readsState("last_fix"),
  },
  last_contact: {
    platform: "sensor",
    unique_id: "pettracer_14758_last_contact",
    default_entity_id: "sensor.oreo_last_contact",
    name: "Last contact",
    device_class: "timestamp",
    entity_category: "diagnostic",
    icon: "mdi:radio-tower",
    ...readsState("last_contact"),
  },
  accuracy: {
    platform: "sensor",
    unique_id: "pettracer_14758_accuracy",
    default_entity_id: "sensor.oreo_accuracy",
    name: "GPS accuracy",
    device_class: "distance",
    unit_of_measurement: "m",
    state_class: "measurement",
    entity_category: "diagnostic",
    icon: "mdi:crosshairs-question",
    suggested_display_precision: 0,
    ...readsState("accuracy"),
  },
  distance: {
    platform: "sensor",
    unique_id: "pettracer_14758_distance",
    default_entity_id: "sensor.oreo_distance",
    name: "Distance from home",
    device_class: "distance",
    unit_of_measurement: "m",
    state_class: "measurement",
    icon: "mdi:map-marker-distance",
    suggested_display_precision: 0,
    ...readsState("distance"),
  },
  signal: {
    platform: "sensor",
    unique_id: "pettracer_14758_signal",
    default_entity_id: "sensor.oreo_signal",
    device_class: "signal_strength",
    unit_of_measurement: "dBm",
    state_class: "measurement",
    entity_category: "diagnostic",
    suggested_display_precision: 0,
    enabled_by_default: false,
    ...readsState("signal"),
  },
  home_since: {
    platform: "sensor",
    unique_id: "pettracer_14758_home_since",
    default_entity_id: "sensor.oreo_home_since",
    name: "Home since",
    device_class: "timestamp",
    entity_category: "diagnostic",
    icon: "mdi:home-clock",
    ...readsState("home_since"),
  },
  time_outside: {
    platform: "sensor",
    unique_id: "pettracer_14758_time_outside",
    default_entity_id: "sensor.oreo_time_outside",
    name: "Time outside today",
    device_class: "duration",
    unit_of_measurement: "min",
    icon: "mdi:tree",
    suggested_display_precision: 0,
    ...readsState("time_outside"),
  },
  live_remaining: {
    platform: "sensor",
    unique_id: "pettracer_14758_live_remaining",
    default_entity_id: "sensor.oreo_live_remaining",
    name: "Live tracking remaining",
    device_class: "duration",
    unit_of_measurement: "min",
    icon: "mdi:timer-outline",
    suggested_display_precision: 0,
    ...readsState("live_remaining"),
  },
  firmware: {
    platform: "update",
    unique_id: "pettracer_14758_firmware",
    default_entity_id: "update.oreo_firmware",
    device_class: "firmware",
    entity_category: "diagnostic",
    state_topic: "pawline/pettracer_14758/firmware",
  },
  mode: {
    platform: "select",
    unique_id: "pettracer_14758_mode",
    default_entity_id: "select.oreo_mode",
    name: "Mode",
    entity_category: "config",
    icon: "mdi:speedometer",
    ...readsState("mode"),
    options: ["Slow", "Slow+", "Normal", "Normal+", "Fast", "Fast+", "Live"],
    command_topic: "pawline/pettracer_14758/mode/set",
  },
  live: {
    platform: "switch",
    unique_id: "pettracer_14758_live",
    default_entity_id: "switch.oreo_live",
    name: "Live tracking",
    icon: "mdi:crosshairs-gps",
    ...readsState("live"),
    state_on: true,
    state_off: false,
    command_topic: "pawline/pettracer_14758/live/set",
  },
  find: {
    platform: "button",
    unique_id: "pettracer_14758_find",
    default_entity_id: "button.oreo_find",
    name: "Find my cat",
    icon: "mdi:cat",
    payload_press: "PRESS",
    command_topic: "pawline/pettracer_14758/find/set",
  },
  light: {
    platform: "switch",
    unique_id: "pettracer_14758_light",
    default_entity_id: "switch.oreo_light",
    name: "Light",
    icon: "mdi:led-on",
    ...readsState("light"),
    state_on: true,
    state_off: false,
    command_topic: "pawline/pettracer_14758/light/set",
  },
  buzzer: {
    platform: "switch",
    unique_id: "pettracer_14758_buzzer",
    default_entity_id: "switch.oreo_buzzer",
    name: "Buzzer",
    icon: "mdi:bullhorn",
    ...readsState("buzzer"),
    state_on: true,
    state_off: false,
    command_topic: "pawline/pettracer_14758/buzzer/set",
  },
  pending: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_pending",
    default_entity_id: "binary_sensor.oreo_pending",
    name: "Command pending",
    icon: "mdi:timer-sand",
    ...readsState("pending"),
    json_attributes_topic: "pawline/pettracer_14758/state",
    json_attributes_template:
      "{{ {'command': value_json.pending_command, 'since': value_json.pending_since, 'expected_by': value_json.pending_until} | tojson }}",
    payload_on: true,
    payload_off: false,
  },
  battery_voltage: {
    platform: "sensor",
    unique_id: "pettracer_14758_battery_voltage",
    default_entity_id: "sensor.oreo_battery_voltage",
    device_class: "voltage",
    unit_of_measurement: "V",
    state_class: "measurement",
    entity_category: "diagnostic",
    suggested_display_precision: 2,
    enabled_by_default: false,
    ...readsState("battery_voltage"),
  },
  battery_warning: {
    platform: "sensor",
    unique_id: "pettracer_14758_battery_warning",
    default_entity_id: "sensor.oreo_battery_warning",
    name: "Low battery threshold",
    device_class: "voltage",
    unit_of_measurement: "V",
    entity_category: "diagnostic",
    suggested_display_precision: 2,
    enabled_by_default: false,
    ...readsState("battery_warning"),
  },
  satellites: {
    platform: "sensor",
    unique_id: "pettracer_14758_satellites",
    default_entity_id: "sensor.oreo_satellites",
    name: "Satellites",
    state_class: "measurement",
    entity_category: "diagnostic",
    icon: "mdi:satellite-variant",
    enabled_by_default: false,
    ...readsState("satellites"),
  },
  signal_quality: {
    platform: "sensor",
    unique_id: "pettracer_14758_signal_quality",
    default_entity_id: "sensor.oreo_signal_quality",
    name: "Signal quality",
    unit_of_measurement: "%",
    state_class: "measurement",
    entity_category: "diagnostic",
    icon: "mdi:signal",
    enabled_by_default: false,
    ...readsState("signal_quality"),
  },
  firmware_version: {
    platform: "sensor",
    unique_id: "pettracer_14758_firmware_version",
    default_entity_id: "sensor.oreo_firmware_version",
    name: "Firmware version",
    entity_category: "diagnostic",
    icon: "mdi:chip",
    enabled_by_default: false,
    ...readsState("firmware_version"),
  },
  hardware_version: {
    platform: "sensor",
    unique_id: "pettracer_14758_hardware_version",
    default_entity_id: "sensor.oreo_hardware_version",
    name: "Hardware version",
    entity_category: "diagnostic",
    icon: "mdi:chip",
    enabled_by_default: false,
    ...readsState("hardware_version"),
  },
  boot_loader_version: {
    platform: "sensor",
    unique_id: "pettracer_14758_boot_loader_version",
    default_entity_id: "sensor.oreo_boot_loader_version",
    name: "Boot loader version",
    entity_category: "diagnostic",
    icon: "mdi:chip",
    enabled_by_default: false,
    ...readsState("boot_loader_version"),
  },
  status: {
    platform: "sensor",
    unique_id: "pettracer_14758_status",
    default_entity_id: "sensor.oreo_status",
    name: "Status code",
    entity_category: "diagnostic",
    icon: "mdi:numeric",
    enabled_by_default: false,
    ...readsState("status"),
  },
  station_status: {
    platform: "sensor",
    unique_id: "pettracer_14758_station_status",
    default_entity_id: "sensor.oreo_station_status",
    name: "Home station status",
    entity_category: "diagnostic",
    icon: "mdi:home-circle",
    enabled_by_default: false,
    ...readsState("station_status"),
  },
  flags: {
    platform: "sensor",
    unique_id: "pettracer_14758_flags",
    default_entity_id: "sensor.oreo_flags",
    name: "Flags",
    entity_category: "diagnostic",
    icon: "mdi:flag",
    enabled_by_default: false,
    ...readsState("flags"),
  },
  telegram_number: {
    platform: "sensor",
    unique_id: "pettracer_14758_telegram_number",
    default_entity_id: "sensor.oreo_telegram_number",
    name: "Telegram number",
    entity_category: "diagnostic",
    icon: "mdi:counter",
    enabled_by_default: false,
    ...readsState("telegram_number"),
  },
  birth: {
    platform: "sensor",
    unique_id: "pettracer_14758_birth",
    default_entity_id: "sensor.oreo_birth",
    name: "Birthday",
    device_class: "date",
    entity_category: "diagnostic",
    icon: "mdi:cake",
    enabled_by_default: false,
    ...readsState("birth"),
  },
  safety_zone: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_safety_zone",
    default_entity_id: "binary_sensor.oreo_safety_zone",
    name: "Safety zone",
    entity_category: "diagnostic",
    icon: "mdi:shield-home",
    enabled_by_default: false,
    ...readsState("safety_zone"),
    payload_on: true,
    payload_off: false,
  },
  search: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_search",
    default_entity_id: "binary_sensor.oreo_search",
    name: "Search",
    entity_category: "diagnostic",
    icon: "mdi:magnify",
    enabled_by_default: false,
    ...readsState("search"),
    payload_on: true,
    payload_off: false,
  },
  bluetooth: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_bluetooth",
    default_entity_id: "binary_sensor.oreo_bluetooth",
    name: "Bluetooth",
    entity_category: "diagnostic",
    icon: "mdi:bluetooth",
    enabled_by_default: false,
    ...readsState("bluetooth"),
    payload_on: true,
    payload_off: false,
  },
  developer_mode: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_developer_mode",
    default_entity_id: "binary_sensor.oreo_developer_mode",
    name: "Developer mode",
    entity_category: "diagnostic",
    icon: "mdi:bug",
    enabled_by_default: false,
    ...readsState("developer_mode"),
    payload_on: true,
    payload_off: false,
  },
  owner: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_owner",
    default_entity_id: "binary_sensor.oreo_owner",
    name: "Own collar",
    entity_category: "diagnostic",
    icon: "mdi:account-check",
    enabled_by_default: false,
    ...readsState("owner"),
    payload_on: true,
    payload_off: false,
  },
};

test.concurrent("a collar, its station and the bridge are described in full", async (context) => {
  const house = await moveIn(context);
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(oreo.config))).toEqual({
    device: {
      identifiers: ["pettracer_14758"],
      name: "Oreo",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "14758",
      hw_version: "10.5.3",
      sw_version: "10.4.9",
      configuration_url: "https://portal.pettracer.com",
      via_device: "pettracer_hs_10775",
    },
    origin,
    ...availabilityOf("pettracer_14758"),
    components: OREO_COMPONENTS,
  });
  expect(configOf(retained.get(station.config))).toEqual({
    device: {
      identifiers: ["pettracer_hs_10775"],
      name: "Home station 10775",
      manufacturer: "PetTracer",
      model: "Home station",
      serial_number: "10775",
      hw_version: "10.4.0",
      sw_version: "10.4.4",
      configuration_url: "https://portal.pettracer.com",
    },
    origin,
    ...availabilityOf("pettracer_hs_10775"),
    components: {
      online: {
        platform: "binary_sensor",
        unique_id: "pettracer_hs_10775_online",
        default_entity_id: "binary_sensor.home_station_10775_online",
        device_class: "connectivity",
        entity_category: "diagnostic",
        ...readsState("online", "pettracer_hs_10775"),
        payload_on: true,
        payload_off: false,
      },
      last_contact: {
        platform: "sensor",
        unique_id: "pettracer_hs_10775_last_contact",
        default_entity_id: "sensor.home_station_10775_last_contact",
        name: "Last contact",
        device_class: "timestamp",
        entity_category: "diagnostic",
        icon: "mdi:radio-tower",
        ...readsState("last_contact", "pettracer_hs_10775"),
      },
      pets_at_home: {
        platform: "sensor",
        unique_id: "pettracer_hs_10775_pets_at_home",
        default_entity_id: "sensor.home_station_10775_pets_at_home",
        name: "Pets at home",
        state_class: "measurement",
        icon: "mdi:cat",
        ...readsState("pets_at_home", "pettracer_hs_10775"),
        json_attributes_topic: "pawline/pettracer_hs_10775/state",
        json_attributes_template: "{{ {'names': value_json.pets_at_home_names} | tojson }}",
      },
      signal: {
        platform: "sensor",
        unique_id: "pettracer_hs_10775_signal",
        default_entity_id: "sensor.home_station_10775_signal",
        device_class: "signal_strength",
        unit_of_measurement: "dBm",
        state_class: "measurement",
        entity_category: "diagnostic",
        suggested_display_precision: 0,
        enabled_by_default: false,
        ...readsState("signal", "pettracer_hs_10775"),
      },
      wifi: {
        platform: "sensor",
        unique_id: "pettracer_hs_10775_wifi",
        default_entity_id: "sensor.home_station_10775_wifi",
        name: "Wi-Fi network",
        entity_category: "diagnostic",
        icon: "mdi:wifi",
        enabled_by_default: false,
        ...readsState("wifi", "pettracer_hs_10775"),
      },
      firmware: {
        platform: "update",
        unique_id: "pettracer_hs_10775_firmware",
        default_entity_id: "update.home_station_10775_firmware",
        device_class: "firmware",
        entity_category: "diagnostic",
        state_topic: "pawline/pettracer_hs_10775/firmware",
      },
    },
  });
  expect(configOf(retained.get(account.config))).toEqual({
    device: {
      identifiers: ["pettracer_account_15979"],
      name: "PetTracer account Alex",
      manufacturer: "PetTracer",
      model: "Account",
      configuration_url: "https://portal.pettracer.com",
    },
    origin,
    // It tells of trouble: only with the bridge it is unavailable.
    availability: [{ topic: "pawline/bridge/state" }],
    qos: 1,
    components: {
      problem: {
        platform: "binary_sensor",
        unique_id: "pettracer_account_15979_problem",
        default_entity_id: "binary_sensor.pettracer_account_alex_problem",
        device_class: "problem",
        entity_category: "diagnostic",
        ...readsState("problem", "pettracer_account_15979"),
        json_attributes_topic: "pawline/pettracer_account_15979/state",
        json_attributes_template: "{{ {'message': value_json.problem_message} | tojson }}",
        payload_on: true,
        payload_off: false,
      },
      stream: {
        platform: "binary_sensor",
        unique_id: "pettracer_account_15979_stream",
        default_entity_id: "binary_sensor.pettracer_account_alex_stream",
        name: "Live stream",
        device_class: "connectivity",
        entity_category: "diagnostic",
        ...readsState("stream", "pettracer_account_15979"),
        payload_on: true,
        payload_off: false,
      },
      subscription_ends: {
        platform: "sensor",
        unique_id: "pettracer_account_15979_subscription_ends",
        default_entity_id: "sensor.pettracer_account_alex_subscription_ends",
        name: "Subscription ends",
        device_class: "timestamp",
        entity_category: "diagnostic",
        icon: "mdi:calendar-end",
        ...readsState("subscription_ends", "pettracer_account_15979"),
      },
    },
  });
  expect(configOf(retained.get("homeassistant/device/bridge/config"))).toEqual({
    device: {
      identifiers: ["pawline_bridge"],
      name: "Pawline",
      manufacturer: "Pawline",
      model: "Bridge",
      serial_number: expect.stringMatching(/^pawline-[0-9a-f]{8}$/) as string,
      sw_version: VERSION,
    },
    origin,
    qos: 1,
    components: {
      connection: {
        platform: "binary_sensor",
        unique_id: "bridge_connection",
        default_entity_id: "binary_sensor.pawline_connection",
        device_class: "connectivity",
        entity_category: "diagnostic",
        state_topic: "pawline/bridge/state",
        payload_on: "online",
        payload_off: "offline",
      },
      version: {
        platform: "sensor",
        unique_id: "bridge_version",
        default_entity_id: "sensor.pawline_version",
        name: "Version",
        entity_category: "diagnostic",
        icon: "mdi:tag-outline",
        state_topic: "pawline/bridge/info",
        value_template: "{{ value_json.version }}",
      },
      started: {
        platform: "sensor",
        unique_id: "bridge_started",
        default_entity_id: "sensor.pawline_started",
        name: "Started",
        device_class: "timestamp",
        entity_category: "diagnostic",
        icon: "mdi:clock-start",
        state_topic: "pawline/bridge/info",
        value_template: "{{ value_json.started }}",
      },
      last_error: {
        platform: "sensor",
        unique_id: "bridge_last_error",
        default_entity_id: "sensor.pawline_last_error",
        name: "Last error",
        entity_category: "diagnostic",
        icon: "mdi:alert-circle-outline",
        state_topic: "pawline/bridge/info",
        value_template: "{{ value_json.last_error }}",
      },
      log_level: {
        platform: "select",
        unique_id: "bridge_log_level",
        default_entity_id: "select.pawline_log_level",
        name: "Log level",
        entity_category: "config",
        icon: "mdi:text-box-outline",
        options: ["trace", "debug", "info", "warn", "error"],
        state_topic: "pawline/bridge/info",
        value_template: "{{ value_json.log_level }}",
        command_topic: "pawline/bridge/log_level/set",
      },
      restart: {
        platform: "button",
        unique_id: "bridge_restart",
        default_entity_id: "button.pawline_restart",
        name: "Restart",
        device_class: "restart",
        entity_category: "config",
        payload_press: "PRESS",
        command_topic: "pawline/bridge/restart/set",
      },
      republish: {
        platform: "button",
        unique_id: "bridge_republish",
        default_entity_id: "button.pawline_republish",
        name: "Republish",
        entity_category: "config",
        icon: "mdi:refresh",
        payload_press: "PRESS",
        command_topic: "pawline/bridge/republish/set",
      },
    },
  });
  expect(retained.get("pawline/bridge/state")).toBe("online");
  expect([...retained.keys()].toSorted()).toEqual([
    "homeassistant/device/bridge/config",
    oreo.config,
    account.config,
    station.config,
    "pawline/bridge/info",
    "pawline/bridge/state",
    oreo.availability,
    oreo.firmware,
    oreo.position,
    oreo.state,
    account.state,
    station.availability,
    station.firmware,
    station.state,
  ]);
});

/** Every field that the simulated cloud would fill in is left out. */
const NOTHING = Object.fromEntries(
  [
    ..."accuWarn safetyZone hw sw bl bat chg userId masterHs mode modeSet status search lastTlgNr lastContact".split(
      " ",
    ),
    ..."lastPos devMode details led ble buz lastRssi flags searchModeDuration masterStatus home homeSince".split(" "),
    ..."owner fiFo".split(" "),
  ].map((field) => [field, undefined]),
);

const BARE = { ...NOTHING, id: 77, bat: 3760, lastContact: "2026-06-01T10:05:00.310+0000" };
const bare = topicsOf("pettracer_77");

test.concurrent("a bare collar has what is known of it, and every key in its state", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, BARE);
    },
  });
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(bare.config))).toEqual({
    device: {
      identifiers: ["pettracer_77"],
      name: "Collar 77",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "77",
      configuration_url: "https://portal.pettracer.com",
    },
    origin,
    ...availabilityOf("pettracer_77"),
    components: {
      tracker: {
        ...OREO_COMPONENTS.tracker,
        unique_id: "pettracer_77_tracker",
        default_entity_id: "device_tracker.collar_77",
        json_attributes_topic: "pawline/pettracer_77/position",
      },
      activity: {
        ...OREO_COMPONENTS.activity,
        unique_id: "pettracer_77_activity",
        default_entity_id: "event.collar_77_activity",
        state_topic: "pawline/pettracer_77/event",
      },
      battery: {
        ...OREO_COMPONENTS.battery,
        unique_id: "pettracer_77_battery",
        default_entity_id: "sensor.collar_77_battery",
        ...readsState("battery", "pettracer_77"),
      },
      last_contact: {
        ...OREO_COMPONENTS.last_contact,
        unique_id: "pettracer_77_last_contact",
        default_entity_id: "sensor.collar_77_last_contact",
        ...readsState("last_contact", "pettracer_77"),
      },
      battery_voltage: {
        ...OREO_COMPONENTS.battery_voltage,
        unique_id: "pettracer_77_battery_voltage",
        default_entity_id: "sensor.collar_77_battery_voltage",
        ...readsState("battery_voltage", "pettracer_77"),
      },
    },
  });
  expect(json(retained.get(bare.state) ?? "")).toEqual({
    battery: 34,
    battery_voltage: 3.76,
    last_contact: "2026-06-01T10:05:00.310+00:00",
    // Nothing is known to be on its way.
    pending: false,
    at_home: null,
    charging: null,
    last_fix: null,
    home_since: null,
    accuracy: null,
    distance: null,
    time_outside: null,
    live_remaining: null,
    mode: null,
    live: null,
    find: null,
    light: null,
    buzzer: null,
    power_off: null,
    battery_warning: null,
    satellites: null,
    signal: null,
    signal_quality: null,
    nearest_station: null,
    firmware_version: null,
    hardware_version: null,
    boot_loader_version: null,
    status: null,
    station_status: null,
    flags: null,
    telegram_number: null,
    birth: null,
    safety_zone: null,
    search: null,
    bluetooth: null,
    developer_mode: null,
    owner: null,
    color: null,
    pending_command: null,
    pending_since: null,
    pending_until: null,
  });
  expect(house.mqtt.of(bare.position)).toEqual([]);
});

test.concurrent("what the cloud tells of for the first time becomes a component, beside the old ones", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, BARE);
    },
  });
  const from = house.mqtt.mark;
  house.push(77, { lastPos: { posLat: 51.5, posLong: -0.1, acc: 9, timeMeasure: "2026-06-01T11:00:00.000+0000" } });
  const { payload, index } = await house.mqtt.waitFor(bare.config, undefined, { from });
  expect(Object.keys(configOf(payload).components)).toEqual([
    "tracker",
    "activity",
    "battery",
    "last_fix",
    "last_contact",
    "accuracy",
    "battery_voltage",
  ]);
  expect(house.mqtt.of(bare.position, from)[0]?.index).toBeLessThan(index);
  await house.mqtt.waitForJson(bare.state, { accuracy: 9 }, { from: index });
});

const SHOWN = { charging: false, last_fix: "2026-06-01T09:59:41.000+00:00", accuracy: 16, distance: 131, battery: 83 };
const UNKNOWN = { charging: null, last_fix: null, accuracy: null, distance: null, battery: 83 };

test.concurrent.for([
  ["and shows what the earlier run knew", true, SHOWN],
  ["also where the earlier run's knowledge is lost", false, UNKNOWN],
] as const)(
  "a component that was published once stays, though the cloud is silent about it, %s",
  async ([, isKept, shown], context) => {
    const house = await moveIn(context);
    await house.stop();
    if (!isKept) rmSync(join(house.dataDir, "devices.json"));
    house.cloud.removeDevice(14758);
    house.cloud.addCollar(OWNER.login, { ...OREO, chg: undefined, lastPos: undefined, masterHs: undefined });
    const from = house.mqtt.mark;
    await house.start();
    const retained = await house.mqtt.retained();
    expect(configOf(retained.get(oreo.config)).components).toEqual(OREO_COMPONENTS);
    const state = json((await house.mqtt.waitFor(oreo.state, undefined, { from })).payload);
    expect(state).toMatchObject(shown);
  },
);

test.concurrent("a collar does not name a station that is not published", async (context) => {
  const house = await moveIn(context, { account: { exclude: [10775] } });
  const retained = await house.mqtt.retained();
  expect(retained.has(station.config)).toBe(false);
  expect(configOf(retained.get(oreo.config)).device).not.toHaveProperty("via_device");
  // Its coordinates are home all the same: the collar's own record has them.
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ distance: 131 });
});

function viaOf(payload: string): unknown {
  return configOf(payload).device.via_device;
}

test.concurrent("a collar names its station as long as that is published", async (context) => {
  const house = await moveIn(context, {
    account: { refresh: "1s" },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.removeDevice(10775);
    },
  });
  expect(viaOf(house.mqtt.latest(oreo.config) ?? "")).toBeUndefined();

  const joined = house.mqtt.mark;
  house.cloud.addHomeStation(OWNER.login, STATION);
  const named = await house.mqtt.waitFor(oreo.config, (text) => viaOf(text) === "pettracer_hs_10775", { from: joined });
  const described = await house.mqtt.waitFor(station.config, undefined, { from: joined });
  expect(described.index).toBeLessThan(named.index);

  // At once: the collar was described just now, and the next description has to wait.
  await leave(house);
});

/** The station leaves the account: first the collar does without it, then it goes. */
async function leave(house: House): Promise<void> {
  const from = house.mqtt.mark;
  house.cloud.removeDevice(10775);
  const cleared = await house.mqtt.waitFor(station.config, (text) => text === "", { from });
  const unnamed = await house.mqtt.waitFor(oreo.config, (text) => viaOf(text) === undefined, { from });
  expect(unnamed.index).toBeLessThan(cleared.index);
}

test.concurrent("a station that leaves is taken from its collar first", async (context) => {
  await leave(await moveIn(context, { account: { refresh: "2s" } }));
});

test.concurrent("a station that the user deleted is no parent any more", async (context) => {
  const house = await moveIn(context);
  await house.mqtt.publish(station.config, "", true);
  await house.logged(/pettracer_hs_10775 was deleted/);
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Oreo II" } });
  const { payload } = await house.mqtt.waitFor(oreo.config, undefined, { from });
  expect(configOf(payload).device).toMatchObject({ name: "Oreo II" });
  expect(configOf(payload).device).not.toHaveProperty("via_device");
});

test.concurrent.for([
  ["  Mr.  Tibbles \u0007", "Mr. Tibbles", "device_tracker.mr_tibbles", "sensor.mr_tibbles_battery"],
  ["Mäusejäger", "Mäusejäger", "device_tracker.mausejager", "sensor.mausejager_battery"],
  ["🐈‍⬛", "🐈‍⬛", "device_tracker.pettracer_14758", "sensor.pettracer_14758_battery"],
  ["\t", "Collar 14758", "device_tracker.collar_14758", "sensor.collar_14758_battery"],
  ["x".repeat(100), "x".repeat(64), `device_tracker.${"x".repeat(64)}`, `sensor.${"x".repeat(64)}_battery`],
])("a pet called %j is shown as %j", async ([name, shown, tracker, battery], context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, { ...OREO, details: { name } });
    },
  });
  const { device, components } = configOf(house.mqtt.latest(oreo.config));
  expect(device.name).toBe(shown);
  expect(components.tracker?.default_entity_id).toBe(tracker);
  expect(components.battery?.default_entity_id).toBe(battery);
});

test.concurrent("a rename is a new description with the same ids", async (context) => {
  const house = await moveIn(context);
  const before = configOf(house.mqtt.latest(oreo.config));
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Cookie" } });
  const after = configOf((await house.mqtt.waitFor(oreo.config, undefined, { from })).payload);
  expect(after.device).toEqual({ ...before.device, name: "Cookie" });
  const ids = (config: typeof after): unknown[] => Object.values(config.components).map((one) => one.unique_id);
  expect(ids(after)).toEqual(ids(before));
  expect(ids(after)).toHaveLength(Object.keys(OREO_COMPONENTS).length);
});

test.concurrent("a pet that gets its old name back is described by it again", async (context) => {
  const house = await moveIn(context);
  // News that change no description, so that the first one is known to be the current one.
  house.push(14758, { bat: 3900 });
  await house.mqtt.waitForJson(oreo.state, { battery: 67 });
  for (const name of ["Cookie", "Oreo"]) {
    const from = house.mqtt.mark;
    house.push(14758, { details: { name } });
    await house.mqtt.waitFor(oreo.config, (text) => configOf(text).device.name === name, { from });
  }
});

test.concurrent("an unchanged description is not sent again over many updates", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  for (let count = 1; count <= 60; count += 1) {
    const timeMeasure = new Date(Date.UTC(2026, 5, 1, 11, count)).toISOString().replace("Z", "+0000");
    house.push(14758, { bat: 4000 - count, lastPos: { ...OREO.lastPos, posLat: 51.4 + count / 10_000, timeMeasure } });
    await house.mqtt.waitForJson(oreo.position, { latitude: 51.4 + count / 10_000 }, { from });
  }
  const configs = house.mqtt.messages.slice(from).filter(({ topic }) => topic.endsWith("/config"));
  expect(configs).toEqual([]);
});

test.concurrent("other firmware is told", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  house.push(14758, { sw: 0x0a0500 });
  const { payload } = await house.mqtt.waitFor(oreo.config, undefined, { from });
  expect(configOf(payload).device).toMatchObject({ sw_version: "10.5.0", hw_version: "10.5.3" });
  await until(() => house.mqtt.of(oreo.config, from).length === 1, "one config");
});
