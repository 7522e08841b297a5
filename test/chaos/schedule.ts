/**
 * What will happen, and when: a pure function of the seed and the length. The faults come in lanes: in one lane there
 * is one at a time, with calm between two; the lanes know nothing of each other, so that faults overlap in every way.
 * A lane draws its kinds like cards from a shuffled deck: each comes before any comes again.
 */
import { type Random, seededRandom } from "../../src/demo/walk.ts";

/** What is between the daemon and the others, and what can be done to it. Two kinds of things at once: speed, and link. */
const LINK = ["refuse", "reset", "close", "freeze", "cut"] as const;
const SPEED = ["latency", "throttle"] as const;
const ANSWERS = ["401", "429", "500", "503", "html", "hang"] as const;
const CLOUD = ["expire", "stomp error", "sockjs close", "malformed", "split", "drop"] as const;
const BROKER = ["restart", "kill", "stop"] as const;
const DAEMON = ["kill", "stop", "reload", "term"] as const;

type Kind =
  | (typeof LINK)[number]
  | (typeof SPEED)[number]
  | (typeof ANSWERS)[number]
  | (typeof CLOUD)[number]
  | (typeof BROKER)[number]
  | (typeof DAEMON)[number];

interface LaneTable {
  readonly kinds: readonly Kind[];
  /** Seconds between two faults, and how long one lasts: at least, at most. */
  readonly calmS: readonly [number, number];
  readonly lastsS: readonly [number, number];
}

export const LANES = {
  "stream link": { kinds: LINK, calmS: [15, 60], lastsS: [1, 25] },
  "stream speed": { kinds: SPEED, calmS: [20, 80], lastsS: [5, 20] },
  "portal link": { kinds: LINK, calmS: [20, 80], lastsS: [1, 20] },
  "portal speed": { kinds: SPEED, calmS: [20, 80], lastsS: [5, 20] },
  "portal answers": { kinds: ANSWERS, calmS: [20, 60], lastsS: [3, 20] },
  cloud: { kinds: CLOUD, calmS: [25, 70], lastsS: [1, 10] },
  "broker link": { kinds: LINK, calmS: [25, 90], lastsS: [1, 25] },
  "broker speed": { kinds: SPEED, calmS: [20, 80], lastsS: [5, 20] },
  broker: { kinds: BROKER, calmS: [60, 160], lastsS: [1, 8] },
  daemon: { kinds: DAEMON, calmS: [30, 110], lastsS: [1, 6] },
} as const satisfies Record<string, LaneTable>;

export type Lane = keyof typeof LANES;

export interface Fault {
  readonly atMs: number;
  readonly untilMs: number;
  readonly lane: Lane;
  readonly kind: Kind;
  /** From 0 to 1: how bad. */
  readonly amount: number;
}

/** How often each comes. */
const MOVES = {
  fix: 42,
  fixes: 6,
  inexact: 6,
  late: 8,
  home: 12,
  charge: 7,
  battery: 9,
  radio: 5,
  "app mode": 3,
  "app light": 2,
} as const;
type Move = keyof typeof MOVES;
/** Each as often as it comes. */
const MOVE_DECK = (Object.keys(MOVES) as Move[]).flatMap((move) => Array.from({ length: MOVES[move] }, () => move));

/** Something that a collar does, or that somebody does to it with the maker's app. */
export interface Step {
  readonly atMs: number;
  /** From 0 on. */
  readonly collar: number;
  readonly move: Move;
  readonly amounts: readonly [number, number, number];
}

/** A command by MQTT. */
export interface Order {
  readonly atMs: number;
  readonly collar: number;
  readonly control: string;
  readonly payload: string;
}

export interface Schedule {
  readonly seed: number;
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  readonly steps: readonly Step[];
  readonly orders: readonly Order[];
}

/** Two homes, with an account and a station each. */
export const COLLARS = 20;
const STEP_MS = 250;
/** So long after the start everything is left in peace: the daemon has to be there before it can be disturbed. */
const PEACE_MS = 5_000;
const MODES = ["Slow", "Slow+", "Normal", "Normal+", "Fast", "Fast+", "Live"];

export function createSchedule(seed: number, durationMs: number): Schedule {
  const lanes = Object.keys(LANES) as Lane[];
  const faults = lanes.flatMap((lane, index) => faultsOf(lane, stream(seed, index), durationMs));
  return {
    seed,
    durationMs,
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
    steps: stepsOf(stream(seed, lanes.length), durationMs),
    orders: ordersOf(stream(seed, lanes.length + 1), durationMs),
  };
}

/** Random numbers of its own for each part, so that a change of one leaves the others as they are. */
function stream(seed: number, part: number): Random {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b));
  for (let skipped = 0; skipped < 5; skipped += 1) random();
  return random;
}

function faultsOf(lane: Lane, random: Random, durationMs: number): Fault[] {
  const { kinds, calmS, lastsS }: LaneTable = LANES[lane];
  const faults: Fault[] = [];
  let deck: Kind[] = [];
  for (let atMs = PEACE_MS + random() * calmS[1] * 1_000; ; ) {
    const untilMs = Math.round(atMs + between(lastsS, random()) * 1_000);
    if (untilMs > durationMs) return faults;
    if (deck.length === 0) deck = shuffled(kinds, random);
    const kind = deck.pop() ?? "freeze";
    faults.push({ atMs: Math.round(atMs), untilMs, lane, kind, amount: random() });
    atMs = untilMs + between(calmS, random()) * 1_000;
  }
}

function stepsOf(random: Random, durationMs: number): Step[] {
  return Array.from({ length: Math.floor(durationMs / STEP_MS) }, (_, index) => ({
    atMs: Math.round((index + random()) * STEP_MS),
    collar: Math.floor(random() * COLLARS),
    move: MOVE_DECK[Math.floor(random() * MOVE_DECK.length)] ?? "fix",
    amounts: [random(), random(), random()] as const,
  }));
}

function ordersOf(random: Random, durationMs: number): Order[] {
  const orders: Order[] = [];
  for (let atMs = PEACE_MS; atMs < durationMs; atMs += Math.round(2_000 + random() * 5_000)) {
    orders.push({ atMs, collar: Math.floor(random() * COLLARS), ...orderOf(random(), random()) });
  }
  return orders;
}

function orderOf(which: number, what: number): Pick<Order, "control" | "payload"> {
  const onOff = what < 0.5 ? "ON" : "OFF";
  if (which < 0.35) return { control: "mode", payload: MODES[Math.floor(what * MODES.length)] ?? "Fast" };
  if (which < 0.5) return { control: "live", payload: onOff };
  if (which < 0.7) return { control: "light", payload: onOff };
  if (which < 0.87) return { control: "buzzer", payload: onOff };
  if (which < 0.93) return { control: "find", payload: "PRESS" };
  return { control: "light", payload: `nonsense ${Math.floor(what * 1e6)}` };
}

function between([least, most]: readonly [number, number], amount: number): number {
  return least + (most - least) * amount;
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
