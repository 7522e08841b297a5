/**
 * Entities as rows of a table, the expected ones and those that a Home Assistant has: one comparison shows all that is
 * wrong, in the words of the table.
 */
import { expect } from "vitest";
import type { HomeAssistant } from "./home-assistant.ts";
import type { RegistryEntityDetail } from "./home-assistant-registry.ts";
import type { EntityState } from "./home-assistant-states.ts";

/** A cell that has nothing to say is empty. */
export interface EntityRow {
  readonly id: string;
  /** Its name beside the device's; empty for the device's main feature. */
  readonly name: string;
  readonly state: string;
  readonly unit: string;
  readonly deviceClass: string;
  readonly stateClass: string;
  readonly category: string;
  readonly icon: string;
  readonly isDisabled: boolean;
}

const COLUMNS = 9;
const WAIT_MS = 60_000;
/** What stands for any state of its kind. */
const KINDS: Readonly<Record<string, RegExp>> = {
  "<time>": /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00$/,
  "<number>": /^\d+$/,
};

/**
 * Reads `id | name | state | unit | device class | state class | category | icon | disabled`, a line each; the icon
 * without its `mdi:`, the last column `x` or nothing. As a state, `<time>` and `<number>` stand for any.
 */
export function entityTable(text: string): EntityRow[] {
  return text.trim().split("\n").map(readRow);
}

function readRow(line: string): EntityRow {
  const cells = line.split("|").map((cell) => cell.trim());
  if (cells.length !== COLUMNS) throw new Error(`A row needs ${COLUMNS} columns: ${line}`);
  const [id = "", name = "", state = "", unit = "", deviceClass = "", stateClass = "", category = "", icon = ""] =
    cells;
  const isDisabled = cells[COLUMNS - 1] === "x";
  return { id, name, state, unit, deviceClass, stateClass, category, icon: icon && `mdi:${icon}`, isDisabled };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The state in the words of the one that is expected. */
function inWordsOf(expected: string | undefined, state: string): string {
  return expected !== undefined && KINDS[expected]?.test(state) ? expected : state;
}

function rowOf(entity: RegistryEntityDetail, state: EntityState | undefined): EntityRow {
  return {
    id: entity.entity_id,
    name: entity.original_name ?? "",
    state: state?.state ?? "",
    unit: textOf(state?.attributes.unit_of_measurement),
    deviceClass: textOf(entity.original_device_class),
    stateClass: textOf(entity.capabilities?.state_class),
    category: entity.entity_category ?? "",
    icon: entity.original_icon ?? "",
    isDisabled: entity.disabled_by === "integration",
  };
}

async function seenRows(home: HomeAssistant): Promise<EntityRow[]> {
  const listed = await home.entityRegistry();
  const ours = listed.filter(({ platform }) => platform === "mqtt").map(({ entity_id }) => entity_id);
  const details = await home.api.call<Record<string, RegistryEntityDetail>>({
    type: "config/entity_registry/get_entries",
    entity_ids: ours,
  });
  const states = await home.states();
  return Object.values(details).map((entity) => rowOf(entity, states.get(entity.entity_id)));
}

/** A line for each, so that a comparison that fails shows the lines that differ. */
function lines(rows: readonly EntityRow[]): string[] {
  return rows.map((row) => Object.values(row).join(" | ")).toSorted();
}

/** A disabled entity has no state; nothing tells its unit either. */
function withoutState(row: EntityRow): EntityRow {
  return row.isDisabled ? { ...row, state: "", unit: "" } : row;
}

/** Waits for the state of each, then compares all entities that MQTT has brought with the rows: no more, no less. */
export async function expectEntities(home: HomeAssistant, rows: readonly EntityRow[]): Promise<void> {
  await Promise.all(
    rows
      .filter(({ isDisabled }) => !isDisabled)
      .map(({ id, state }) => home.waitForState(id, (seen) => inWordsOf(state, seen.state) === state, WAIT_MS)),
  );
  const expected = new Map(rows.map(({ id, state }) => [id, state]));
  const seen = (await seenRows(home)).map((row) => ({ ...row, state: inWordsOf(expected.get(row.id), row.state) }));
  expect(lines(seen)).toEqual(lines(rows.map(withoutState)));
}

/** Enables all rows that are disabled, in one go, and gives the rows as they are then. */
export async function enableAll(home: HomeAssistant, rows: readonly EntityRow[]): Promise<EntityRow[]> {
  await home.enableEntity(...rows.filter(({ isDisabled }) => isDisabled).map(({ id }) => id));
  return rows.map((row) => ({ ...row, isDisabled: false }));
}
