/**
 * Home Assistant's MQTT discovery: retained messages that describe a device with all its entities, either one message
 * for the device, or one for each entity, which older and other hubs read. Pure.
 * https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
 */
import { hash } from "node:crypto";
import type { Entity, View } from "../entities/entity.ts";
import { accountName, deviceName, slug } from "../entities/name.ts";
import { withTable } from "../entities/tables.ts";
import type { Collar, Device, Entry } from "../model/device.ts";
import type { Message } from "./messages.ts";
import type { Topics } from "./topics.ts";

/** One message for each device, one for each entity, or none at all. */
export type DiscoveryMode = "device" | "component" | "off";

export interface DiscoveryContext {
  readonly mode: DiscoveryMode;
  readonly view: View;
  readonly topics: Topics;
  /**
   * Devices (`pettracer_14758`) and entities (`pettracer_14758/signal`) that are not published although they are known:
   * the user deleted them in Home Assistant.
   */
  readonly deleted: ReadonlySet<string>;
  readonly qos: 0 | 1 | 2;
  readonly version: string;
  /** Whose bridge it is, and by which way it comes: its serial number. */
  readonly instance: string;
  /** What the user does not want: keys (`signal`), or a device and a key (`pettracer_14758/signal`, `Oreo/signal`). */
  readonly exclude: readonly string[];
  /** Where there is no will: when the bridge is taken for dead, ms after its last word. Then bytes go as text, too. */
  readonly expiresAfterMs?: number;
  /** A picture that is larger is left out, and its entity with it. */
  readonly largestPhotoBytes?: number;
}

/** The components of a device: key and platform. */
export type Components = ReadonlyMap<string, string>;

/** What our messages name as their maker. */
export const ORIGIN = "Pawline";

type Config = Readonly<Record<string, unknown>>;

interface Discovery {
  /** All that the messages are made from: where it is the same, so are the messages. */
  readonly signature: string;
  readonly components: Components;
  /** Components that the messages remove: the next ones do not know them any more. */
  readonly dropped: Components;
  /** One with an empty payload takes its topic away. */
  readonly messages: () => readonly Message[];
}

/**
 * The discovery messages of an entry.
 * @param key its name in topics
 * @param published the components that were published before: what was once there stays, or its history would go
 *   with it; what the user excluded since is named as removed
 */
export function describeDiscovery(
  entry: Entry,
  key: string,
  published: Components,
  context: DiscoveryContext,
): Discovery {
  return withTable(entry, (table, of) => {
    const rows = table.filter(
      (row) =>
        (row.known(of, context.view) || (published.has(row.key) && row.isGone?.(of) !== true)) &&
        !isExcluded(entry, row.key, context.exclude) &&
        !context.deleted.has(`${key}/${row.key}`) &&
        !(row.platform === "image" && isTooLarge(entry, context)),
    );
    const components = new Map(rows.map((row) => [row.key, row.platform]));
    const dropped = new Map([...published].filter(([component]) => !components.has(component)));
    const options = rows.flatMap((row) => row.options?.(of) ?? []);
    const about = [rawName(entry), ...versionsOf(entry), parentOf(entry, context)];
    return {
      components,
      dropped,
      signature: hash("sha1", [...about, ...components.keys(), "-", ...options, "-", ...dropped].join("\n"), "base64"),
      messages: () =>
        context.mode === "component"
          ? entityMessages(of, key, rows, dropped, context)
          : [retained(context.topics.discovery(key), devicePayload(of, key, rows, dropped, context))],
    };
  });
}

function retained(topic: string, payload: object | undefined): Message {
  return { topic, payload: payload === undefined ? "" : JSON.stringify(payload), retain: true, qos: 1 };
}

/**
 * All that a description can depend on, made at a tenth of its cost: which fields are known, and the values of those
 * that it names. Most news change none of that.
 */
export function shapeOf(collar: Collar, context: DiscoveryContext): Shape {
  const { fix, station, telegrams, modeSet, photo, offersPowerOff } = collar;
  const parent = station ? context.view.state.get(station.key) : undefined;
  const inner = [fix, station, telegrams?.[0]?.receptions[0], parent].map((part) => Object.keys(part ?? {}).length);
  const named = [
    rawName(collar),
    modeSet,
    photo === null,
    isTooLarge(collar, context),
    offersPowerOff,
    parentOf(collar, context),
    ...versionsOf(collar),
  ];
  return [...inner, ...named, ...Object.keys(collar)];
}

export type Shape = readonly unknown[];

export function isSameShape(a: Shape | undefined, b: Shape): boolean {
  return a?.length === b.length && b.every((part, index) => part === a[index]);
}

function devicePayload<Of extends Entry>(
  entry: Of,
  key: string,
  rows: readonly Entity<Of>[],
  dropped: Components,
  context: DiscoveryContext,
): object {
  const components = rows.map((row) => [row.key, { platform: row.platform, ...component(row, entry, key, context) }]);
  // Home Assistant takes a component with nothing but a platform as the order to remove it.
  const removals = [...dropped].map(([component, platform]) => [component, { platform }]);
  return { ...common(entry, key, context), components: Object.fromEntries([...components, ...removals]) };
}

/** Each says by itself what it stands on: a hub knows of no other message. */
function entityMessages<Of extends Entry>(
  entry: Of,
  key: string,
  rows: readonly Entity<Of>[],
  dropped: Components,
  context: DiscoveryContext,
): Message[] {
  const { topics } = context;
  const shared = common(entry, key, context);
  return [
    ...[...dropped].map(([name, platform]) => retained(topics.entityDiscovery(key, platform, name), undefined)),
    ...rows.map((row) => {
      const config = { ...component(row, entry, key, context), ...shared };
      return retained(topics.entityDiscovery(key, row.platform, row.key), config);
    }),
  ];
}

/** What all entities of a device share. */
function common(entry: Entry, key: string, context: DiscoveryContext): Config {
  return {
    device: deviceInfo(entry, key, context),
    origin: { name: ORIGIN, sw_version: context.version },
    ...availability(entry, key, context.topics),
    qos: context.qos,
  };
}

function component<Of extends Entry>(row: Entity<Of>, entry: Of, key: string, context: DiscoveryContext): Config {
  return {
    unique_id: `${key}_${row.key}`,
    default_entity_id: `${row.platform}.${entityName(row.key, entry, key)}`,
    ...defined({
      name: row.name,
      device_class: row.deviceClass,
      unit_of_measurement: row.unit,
      state_class: row.stateClass,
      entity_category: row.category,
      icon: row.icon,
      suggested_display_precision: row.precision,
      enabled_by_default: row.enabled,
      options: row.options?.(entry),
    }),
    ...where(row, entry, key, context),
    ...(row.request && { command_topic: context.topics.command(key, row.key) }),
  };
}

function defined(fields: Config): Config {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `oreo_battery`; `oreo` for the tracker. Where nothing of the name can be written so, the device's key stands in. */
function entityName(component: string, entry: Entry, key: string): string {
  const name = slug(nameOf(entry)) || key;
  return component === "tracker" ? name : `${name}_${component}`;
}

/** As the cloud has it: enough to see that it is another one. */
function rawName(entry: Entry): string | undefined {
  return entry.kind === "bridge" ? undefined : entry.name;
}

function nameOf(entry: Entry): string {
  switch (entry.kind) {
    case "bridge":
      return "Pawline";
    case "account":
      return accountName(entry);
    case "collar":
    case "homeStation":
      return deviceName(entry);
  }
}

/** What a row says without an entry. */
type Row = Pick<Entity<never>, "key" | "platform" | "attributes" | "eventTypes">;

/** Where the entity's value is to be found. */
function where(row: Row, entry: Entry, key: string, { topics, expiresAfterMs }: DiscoveryContext): Config {
  switch (row.platform) {
    case "device_tracker":
      return { json_attributes_topic: topics.position(key), source_type: "gps" };
    case "event":
      return { state_topic: topics.event(key), event_types: row.eventTypes };
    case "image":
      return {
        image_topic: topics.photo(key),
        content_type: contentType(entry),
        ...(expiresAfterMs !== undefined && { image_encoding: "b64" }),
      };
    case "update":
      return { state_topic: topics.firmware(key) };
    case "button":
      return { payload_press: "PRESS" };
    case "switch":
      return { ...stateAt(row, entry, key, topics), state_on: true, state_off: false };
    case "binary_sensor":
      // The bridge is described by its own last words: its state topic is also its will.
      if (entry.kind === "bridge") {
        const expiry = expiresAfterMs !== undefined && { expire_after: Math.round(expiresAfterMs / 1000) };
        return { state_topic: topics.bridgeState, payload_on: "online", payload_off: "offline", ...expiry };
      }
      return { ...stateAt(row, entry, key, topics), payload_on: true, payload_off: false };
    case "select":
    case "sensor":
      return stateAt(row, entry, key, topics);
  }
}

function stateAt({ key: name, attributes }: Row, entry: Entry, key: string, topics: Topics): Config {
  const topic = entry.kind === "bridge" ? topics.bridgeInfo : topics.state(key);
  return {
    state_topic: topic,
    value_template: `{{ value_json.${name} }}`,
    ...(attributes && { json_attributes_topic: topic, json_attributes_template: attributesTemplate(attributes) }),
  };
}

function attributesTemplate(attributes: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(attributes).map(([name, key]) => `'${name}': value_json.${key}`);
  return `{{ {${pairs.join(", ")}} | tojson }}`;
}

function contentType(entry: Entry): string {
  return (entry.kind === "collar" && entry.photoType) || "image/jpeg";
}

/** An account's entities tell of trouble, and the bridge's of its own end: they hang on nothing else. */
function availability(entry: Entry, key: string, topics: Topics): Config {
  const bridge = { topic: topics.bridgeState };
  switch (entry.kind) {
    case "bridge":
      return {};
    case "account":
      return { availability: [bridge] };
    case "collar":
    case "homeStation":
      return { availability: [bridge, { topic: topics.availability(key) }], availability_mode: "all" };
  }
}

function deviceInfo(entry: Entry, key: string, context: DiscoveryContext): Config {
  const name = nameOf(entry);
  switch (entry.kind) {
    case "bridge":
      return {
        identifiers: ["pawline_bridge"],
        name,
        manufacturer: "Pawline",
        model: "Bridge",
        serial_number: context.instance,
        sw_version: context.version,
      };
    case "account": {
      const { manufacturer, model, website } = entry.product ?? {};
      return { identifiers: [key], name, ...defined({ manufacturer, model, configuration_url: website }) };
    }
    case "collar":
    case "homeStation": {
      const parent = parentOf(entry, context);
      return { ...productInfo(entry, name), ...(parent !== undefined && { via_device: parent }) };
    }
  }
}

/** The collar's home station, if it is published: a parent that Home Assistant does not know becomes a stub for ever. */
function parentOf(entry: Entry, { view, deleted }: DiscoveryContext): string | undefined {
  const station: Collar["station"] = entry.kind === "collar" ? entry.station : undefined;
  if (!station || deleted.has(station.key)) return undefined;
  return view.state.get(station.key)?.kind === "homeStation" ? station.key : undefined;
}

function versionsOf(entry: Entry): (string | undefined)[] {
  if (entry.kind !== "collar") return entry.kind === "homeStation" ? [entry.hardware, entry.firmware] : [];
  return [entry.hardware, entry.firmware, entry.photoType];
}

function productInfo(device: Device, name: string): Config {
  const { manufacturer, model, website } = device.product;
  return {
    identifiers: [device.key],
    name,
    manufacturer,
    model,
    serial_number: String(device.id),
    ...defined({ hw_version: device.hardware, sw_version: device.firmware }),
    configuration_url: website,
  };
}

function isTooLarge(entry: Entry, { largestPhotoBytes = Number.POSITIVE_INFINITY }: DiscoveryContext): boolean {
  return entry.kind === "collar" && (entry.photo?.bytes.byteLength ?? 0) > largestPhotoBytes;
}

/** Whether the user does not want this entity: `entities.exclude`. */
export function isExcluded(entry: Entry, key: string, exclude: readonly string[]): boolean {
  if (exclude.length === 0) return false;
  const id = entry.kind === "bridge" ? [] : [String(entry.id)];
  const names = [entry.kind === "account" ? entry.deviceKey : entry.key, ...id, nameOf(entry)];
  const unwanted = [key, ...names.map((name) => `${name}/${key}`.toLowerCase())];
  return exclude.some((one) => unwanted.includes(one.toLowerCase()));
}
