/**
 * Everything that can go wrong, and where: each cell is measured by a test of this folder, or says why there is nothing
 * to measure. `docs/reliability.md` has a row for each.
 */

export const PLACES = [
  "PetTracer's portal",
  "PetTracer's stream",
  "the broker",
  "Home Assistant",
  "this computer",
] as const;
export type Place = (typeof PLACES)[number];

const NETWORK_FAULTS = [
  "refused",
  "reset",
  "clean close",
  "half-open (frozen)",
  "slow: 2 s latency",
  "slow: 1 kB/s",
  "cut in the middle of a frame",
  "DNS gone",
  "TLS failure",
  "short outage",
  "long outage",
] as const;

const ANSWER_FAULTS = [
  "401",
  "403",
  "429 with Retry-After",
  "500",
  "503",
  "HTML instead of JSON",
  "hang",
  "token expired while connected",
  "token expired while down",
  "subscription over",
] as const;

const COMPUTER_FAULTS = [
  "clock an hour forwards",
  "clock an hour backwards",
  "laptop sleep",
  "disk full",
  "data folder read-only",
  "data folder deleted",
  "track damaged",
  "killed with SIGKILL",
  "two daemons with one client id",
] as const;

const NEIGHBOUR_FAULTS = ["restarted, and has forgotten all"] as const;

export type Fault =
  | (typeof NETWORK_FAULTS)[number]
  | (typeof ANSWER_FAULTS)[number]
  | (typeof COMPUTER_FAULTS)[number]
  | (typeof NEIGHBOUR_FAULTS)[number];

/** Measured by a test; or the reason why not. */
type Cell = "measured" | { readonly none: string };

const NOT_A_COMPUTER = { none: "a fault of this computer: see there" };
const NOT_A_NETWORK = { none: "a fault of the network, or of the other side: see there" };

const NOTHING_KEPT = { none: "nothing of ours is kept there" };

function all<F extends string>(faults: readonly F[], cell: Cell): Record<F, Cell> {
  return Object.fromEntries(faults.map((fault) => [fault, cell])) as Record<F, Cell>;
}

const PORTAL: Record<Fault, Cell> = {
  ...all(NETWORK_FAULTS, "measured"),
  ...all(ANSWER_FAULTS, "measured"),
  ...all(COMPUTER_FAULTS, NOT_A_COMPUTER),
  ...all(NEIGHBOUR_FAULTS, NOTHING_KEPT),
};

const STREAM: Record<Fault, Cell> = {
  ...all(NETWORK_FAULTS, "measured"),
  ...all(ANSWER_FAULTS, "measured"),
  ...all(COMPUTER_FAULTS, NOT_A_COMPUTER),
  ...all(NEIGHBOUR_FAULTS, NOTHING_KEPT),
  "subscription over": { none: "the portal's login tells it: see there" },
};

const BROKER: Record<Fault, Cell> = {
  ...all(NETWORK_FAULTS, "measured"),
  ...all(ANSWER_FAULTS, "measured"),
  ...all(COMPUTER_FAULTS, NOT_A_COMPUTER),
  ...all(NEIGHBOUR_FAULTS, "measured"),
  "429 with Retry-After": { none: "MQTT has no such answer" },
  "500": { none: "MQTT has no such answer" },
  "token expired while connected": { none: "a broker has no tokens; a password that was changed is its 401" },
  "token expired while down": { none: "a broker has no tokens; a password that was changed is its 401" },
  "subscription over": { none: "a broker has none" },
};

const HOME_ASSISTANT: Record<Fault, Cell> = {
  ...all(NETWORK_FAULTS, "measured"),
  ...all(ANSWER_FAULTS, "measured"),
  ...all(COMPUTER_FAULTS, NOT_A_COMPUTER),
  ...all(NEIGHBOUR_FAULTS, "measured"),
  "subscription over": { none: "Home Assistant has none" },
};

const THIS_COMPUTER: Record<Fault, Cell> = {
  ...all(NETWORK_FAULTS, NOT_A_NETWORK),
  ...all(ANSWER_FAULTS, NOT_A_NETWORK),
  ...all(COMPUTER_FAULTS, "measured"),
  ...all(NEIGHBOUR_FAULTS, NOTHING_KEPT),
};

const MATRIX: Readonly<Record<Place, Readonly<Record<Fault, Cell>>>> = {
  "PetTracer's portal": PORTAL,
  "PetTracer's stream": STREAM,
  "the broker": BROKER,
  "Home Assistant": HOME_ASSISTANT,
  "this computer": THIS_COMPUTER,
};

export interface MatrixCell {
  readonly where: Place;
  readonly fault: Fault;
  /** Why there is nothing to measure; undefined where it is measured. */
  readonly none: string | undefined;
}

/** In their order; an object would put 401 before them all. */
const FAULTS: readonly Fault[] = [...NETWORK_FAULTS, ...ANSWER_FAULTS, ...NEIGHBOUR_FAULTS, ...COMPUTER_FAULTS];

/** All cells, place by place, but for those of faults that belong to other places. */
export function matrixCells(): readonly MatrixCell[] {
  return PLACES.flatMap((where) =>
    FAULTS.map((fault) => ({ where, fault, cell: MATRIX[where][fault] }))
      .filter(({ cell }) => cell !== NOT_A_COMPUTER && cell !== NOT_A_NETWORK)
      .map(({ cell, ...rest }) => ({ ...rest, none: cell === "measured" ? undefined : cell.none })),
  );
}
