/**
 * Numbers about the program's work. Each has one owner, which asks for its cell once and keeps it: what is counted all
 * the time then costs no more than `cell.value += 1`.
 */

/** A number that its owner changes. */
export interface Cell {
  value: number;
}

/** What is counted under a name. */
interface Definition {
  /** A `counter` starts at 0 and only grows; an `age` holds the `monotonicMs()` of the last time, NaN before the first. */
  readonly type: "counter" | "age";
  /** What it means, in a sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

export type Definitions = Readonly<Record<string, Definition>>;

/** A value for each label of a name. */
type Labels<Of extends Definition> = Readonly<Record<Of["labels"][number], string>>;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly cell: Cell;
}

interface CellFamily extends Omit<Definition, "labels"> {
  readonly name: string;
  readonly series: readonly Series[];
}

export interface Metrics<Table extends Definitions> {
  /** The cell of this name and these labels: always the same one, made when it is asked for the first time. */
  cell<Name extends keyof Table & string>(name: Name, labels: Labels<Table[Name]>): Cell;
  /** All names, and the cells of each in the order in which they were made. */
  families(): readonly CellFamily[];
}

export function createMetrics<const Table extends Definitions>(table: Table): Metrics<Table> {
  const families = new Map<string, Map<string, Series>>();
  return {
    cell(name, labels) {
      const family = families.get(name) ?? new Map<string, Series>();
      families.set(name, family);
      const key = JSON.stringify(Object.entries(labels).map(String).toSorted());
      const known = family.get(key) ?? { labels, cell: { value: table[name]?.type === "age" ? Number.NaN : 0 } };
      family.set(key, known);
      return known.cell;
    },
    families: () =>
      Object.entries(table).map(([name, { type, help }]) => {
        return { name, type, help, series: [...(families.get(name)?.values() ?? [])] };
      }),
  };
}

/** What the process has taken from the machine. */
export interface Usage {
  readonly residentBytes: number;
  /** Time of a processor since the start, seconds. */
  readonly cpuS: number;
}
