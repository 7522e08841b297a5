/** `pawline devices`: what the accounts have, once or followed. */
import type { View } from "../entities/entity.ts";
import { timestamp } from "../entities/entity.ts";
import { deviceName } from "../entities/name.ts";
import { positionOf } from "../entities/position.ts";
import { deviceRecord } from "../entities/record.ts";
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
  const store = createStore(
    { version: VERSION, startedAt: Date.now(), logLevel: "" },
    { maxAccuracyM: config.home.max_accuracy, flapMs: 0 },
  );
  const sources = await createSources(config.pettracer, context);
  const view: View = { state: store.state, preferredPosition: config.home.prefer };
  for (const source of sources) await source.list(store.dispatch, terminal.signal);
  const write = options.json === true ? asJson : asTable;
  if (options.watch !== true) terminal.stdout.write(`${write(devicesOf(store.state), view)}\n`);
  else await Promise.all([follow(sources, store, context, terminal), tellChanges(store, view, options, terminal)]);
  return EXIT.fine;
}

function asJson(found: readonly Device[], view: View): string {
  const records = found.map((device) => deviceRecord(device, view));
  return JSON.stringify(records, null, 2);
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
  return ["collar", battery, device.atHome === undefined ? "" : device.atHome ? "home" : "away", place, contact];
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
      const line = options.json === true ? JSON.stringify(deviceRecord(entry, view)) : deviceLine(entry, view);
      if (told.get(key) === line) continue;
      told.set(key, line);
      stdout.write(`${line}\n`);
    }
  }
}
