/** `pawline devices`: what the accounts have, once or followed. */
import type { View } from "../entities/entity.ts";
import { timestamp } from "../entities/entity.ts";
import { deviceName } from "../entities/name.ts";
import { distanceFromHome, positionOf } from "../entities/position.ts";
import { VERSION } from "../lib/about.ts";
import { supervise } from "../lib/supervise.ts";
import type { Device } from "../model/device.ts";
import { createSources } from "../sources/index.ts";
import type { Source } from "../sources/source.ts";
import { createStore, type Store } from "../store/store.ts";
import { type CommandContext, openContext } from "./context.ts";
import { deviceLine, devicesOf, table } from "./lines.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface DevicesOptions extends GlobalOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export async function devices(options: DevicesOptions, terminal: Terminal): Promise<ExitCode> {
  const context = await openContext(options, terminal, "warn");
  const { config } = context;
  const store = createStore({ version: VERSION, startedAt: Date.now() }, { maxAccuracyM: config.home.max_accuracy });
  const sources = await createSources(config.pettracer, context);
  const view: View = { state: store.state, preferredPosition: config.home.prefer };
  for (const source of sources) await source.list(store.dispatch, terminal.signal);
  const write = options.json === true ? asJson : asTable;
  if (options.watch !== true) terminal.stdout.write(`${write(devicesOf(store.state), view)}\n`);
  else await Promise.all([follow(sources, store, context, terminal), tellChanges(store, view, options, terminal)]);
  return EXIT.fine;
}

function asJson(found: readonly Device[], view: View): string {
  return JSON.stringify(
    found.map((device) => record(device, view)),
    null,
    2,
  );
}

function asTable(found: readonly Device[], view: View): string {
  const rows = found.map((device) => [String(device.id), deviceName(device), ...columns(device, view)]);
  return table([["ID", "NAME", "KIND", "BATTERY", "HOME", "POSITION", "LAST CONTACT"], ...rows]);
}

function columns(device: Device, view: View): string[] {
  const contact = timestamp(device.lastContactAt) ?? "";
  if (device.kind === "homeStation")
    return ["home station", "mains", device.online === true ? "online" : "offline", "", contact];
  const position = positionOf(device, view);
  const battery = device.batteryPercent === undefined ? "" : `${device.batteryPercent} %`;
  const place = position ? `${position.latitude}, ${position.longitude} ±${position.gps_accuracy} m` : "";
  return ["collar", battery, device.home === undefined ? "" : device.home ? "home" : "away", place, contact];
}

/** A device as data for other programs: documented, so that keys may be added but not changed. */
function record(device: Device, view: View): Record<string, unknown> {
  const common = {
    key: device.key,
    id: device.id,
    kind: device.kind === "collar" ? "collar" : "home_station",
    name: deviceName(device),
    last_contact: timestamp(device.lastContactAt),
  };
  if (device.kind === "homeStation") return { ...common, online: device.online ?? null };
  return {
    ...common,
    battery: device.batteryPercent ?? null,
    charging: device.charging ?? null,
    home: device.home ?? null,
    distance: distanceFromHome(device, view),
    position: positionOf(device, view) ?? null,
  };
}

async function follow(
  sources: readonly Source[],
  store: Store,
  { log }: CommandContext,
  { signal }: Terminal,
): Promise<void> {
  const run = (source: Source): Promise<void> =>
    supervise((end, ready) => source.run(store.dispatch, end, ready), { name: source.name, log, signal });
  await Promise.all(sources.map(run));
}

/** A line for each change: readable, or JSON for other programs. */
async function tellChanges(
  store: Store,
  view: View,
  options: DevicesOptions,
  { stdout, signal }: Terminal,
): Promise<void> {
  const told = new Map<string, string>();
  for await (const { state, changed } of store.changes(signal)) {
    for (const key of changed) {
      const entry = state.get(key);
      if (entry?.kind !== "collar" && entry?.kind !== "homeStation") continue;
      const line = options.json === true ? JSON.stringify(record(entry, view)) : deviceLine(entry, view);
      if (told.get(key) === line) continue;
      told.set(key, line);
      stdout.write(`${line}\n`);
    }
  }
}
