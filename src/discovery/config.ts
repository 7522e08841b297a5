/**
 * Home Assistant's device-based MQTT discovery: one retained message that describes a device with all its entities.
 * Pure. https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
 */
import { BRIDGE_ENTITIES } from "../entities/bridge.ts";
import { COLLAR_ENTITIES } from "../entities/collar.ts";
import type { Entity, View } from "../entities/entity.ts";
import { deviceName, slug } from "../entities/name.ts";
import { STATION_ENTITIES } from "../entities/station.ts";
import type { Bridge, Collar, Device, HomeStation } from "../model/device.ts";
import type { Topics } from "./topics.ts";

export interface DiscoveryContext {
  readonly view: View;
  readonly topics: Topics;
  /** Devices that are not published although they are known: the user deleted them in Home Assistant. */
  readonly deleted: ReadonlySet<string>;
  readonly qos: 0 | 1 | 2;
  readonly version: string;
  /** What the user does not want: keys (`signal`), or a device and a key (`pettracer_14758/signal`, `Oreo/signal`). */
  readonly exclude: readonly string[];
}

type Config = Readonly<Record<string, unknown>>;

/** The components of a device: key and platform. */
export type Components = ReadonlyMap<string, string>;

interface Discovery {
  /** All that the message is made from: where it is the same, so is the message. */
  readonly signature: string;
  readonly components: Components;
  readonly payload: () => string;
}

/**
 * The discovery message of a device.
 * @param published the components that were published before: what was once there stays, or its history would go
 *   with it; what the user excluded since is named as removed
 */
export function describeDiscovery(
  device: Device | Bridge,
  published: Components,
  context: DiscoveryContext,
): Discovery {
  const rows = rowsOf(device, context).filter(
    ({ key, known }) => (known || published.has(key)) && !isExcluded(device, key, context.exclude),
  );
  const components = new Map(rows.map(({ key, platform }) => [key, platform]));
  const dropped = [...published].filter(([key]) => !components.has(key));
  const { name, hardware, firmware } = device.kind === "bridge" ? NO_DETAILS : { ...NO_DETAILS, ...device };
  const parent = device.kind === "collar" ? parentOf(device, context) : undefined;
  return {
    components,
    signature: [name, hardware, firmware, parent, ...components.keys(), "-", ...dropped].join("\n"),
    payload: () => discoveryPayload(device, rows, dropped, context),
  };
}

const NO_DETAILS = { name: undefined, hardware: undefined, firmware: undefined };

function discoveryPayload(
  device: Device | Bridge,
  rows: readonly Row[],
  dropped: readonly (readonly [key: string, platform: string])[],
  context: DiscoveryContext,
): string {
  const components = rows.map(({ key, config }) => [key, config()]);
  // Home Assistant takes a component with nothing but a platform as the order to remove it.
  const removals = dropped.map(([key, platform]) => [key, { platform }]);
  return JSON.stringify({
    device: deviceInfo(device, context),
    origin: { name: "Pawline", sw_version: context.version },
    ...(device.kind !== "bridge" && availability(device, context.topics)),
    qos: context.qos,
    components: Object.fromEntries([...components, ...removals]),
  });
}

interface Row {
  readonly key: string;
  readonly platform: string;
  readonly known: boolean;
  readonly config: () => Config;
}

function rowsOf(device: Device | Bridge, context: DiscoveryContext): Row[] {
  switch (device.kind) {
    case "collar":
      return COLLAR_ENTITIES.map((entity) => row(entity, device, context));
    case "homeStation":
      return STATION_ENTITIES.map((entity) => row(entity, device, context));
    case "bridge":
      return BRIDGE_ENTITIES.map((entity) => row(entity, device, context));
  }
}

function row<Of extends Device | Bridge>(entity: Entity<Of>, device: Of, context: DiscoveryContext): Row {
  const known = entity.known(device, context.view);
  return { key: entity.key, platform: entity.platform, known, config: () => component(entity, device, context) };
}

function component<Of extends Device | Bridge>(entity: Entity<Of>, device: Of, { topics }: DiscoveryContext): Config {
  return {
    platform: entity.platform,
    unique_id: `${device.key}_${entity.key}`,
    default_entity_id: `${entity.platform}.${entityName(entity.key, device)}`,
    ...defined({
      name: entity.name,
      device_class: entity.deviceClass,
      unit_of_measurement: entity.unit,
      state_class: entity.stateClass,
      entity_category: entity.category,
      icon: entity.icon,
      suggested_display_precision: entity.precision,
      enabled_by_default: entity.enabled,
    }),
    ...where(entity, device, topics),
  };
}

function defined(fields: Config): Config {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `oreo_battery`; `oreo` for the tracker. Where nothing of the name can be written so, the device's key stands in. */
function entityName(key: string, device: Device | Bridge): string {
  const name = device.kind === "bridge" ? "pawline" : slug(deviceName(device)) || device.key;
  return key === "tracker" ? name : `${name}_${key}`;
}

/** Where the entity's value is to be found. */
function where<Of extends Device | Bridge>({ key, platform }: Entity<Of>, device: Of, topics: Topics): Config {
  if (platform === "device_tracker") return { json_attributes_topic: topics.position(device.key), source_type: "gps" };
  // The bridge is described by its own last words: its state topic is also its will.
  if (device.kind === "bridge" && key === "connection") {
    return { state_topic: topics.bridgeState, payload_on: "online", payload_off: "offline" };
  }
  return {
    state_topic: device.kind === "bridge" ? topics.bridgeInfo : topics.state(device.key),
    value_template: `{{ value_json.${key} }}`,
    ...(platform === "binary_sensor" && { payload_on: true, payload_off: false }),
  };
}

function availability(device: Device, topics: Topics): Config {
  return {
    availability: [{ topic: topics.bridgeState }, { topic: topics.availability(device.key) }],
    availability_mode: "all",
  };
}

function deviceInfo(device: Device | Bridge, context: DiscoveryContext): Config {
  switch (device.kind) {
    case "bridge":
      return {
        identifiers: ["pawline_bridge"],
        name: "Pawline",
        manufacturer: "Pawline",
        model: "Bridge",
        sw_version: context.version,
      };
    case "homeStation":
      return productInfo(device);
    case "collar": {
      const parent = parentOf(device, context);
      return { ...productInfo(device), ...(parent !== undefined && { via_device: parent }) };
    }
  }
}

/** The collar's home station, if it is published: a parent that Home Assistant does not know becomes a stub for ever. */
function parentOf({ station }: Collar, { view, deleted }: DiscoveryContext): string | undefined {
  if (!station || deleted.has(station.key)) return undefined;
  return view.state.get(station.key)?.kind === "homeStation" ? station.key : undefined;
}

function productInfo(device: Collar | HomeStation): Config {
  const { manufacturer, model, website } = device.product;
  return {
    identifiers: [device.key],
    name: deviceName(device),
    manufacturer,
    model,
    serial_number: String(device.id),
    ...defined({ hw_version: device.hardware, sw_version: device.firmware }),
    configuration_url: website,
  };
}

function isExcluded(device: Device | Bridge, key: string, exclude: readonly string[]): boolean {
  if (exclude.length === 0) return false;
  const names = device.kind === "bridge" ? [device.key] : [device.key, String(device.id), deviceName(device)];
  const unwanted = [key, ...names.map((name) => `${name}/${key}`.toLowerCase())];
  return exclude.some((entry) => unwanted.includes(entry.toLowerCase()));
}
