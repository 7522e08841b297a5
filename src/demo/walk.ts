/**
 * How a demo cat moves: a small state machine on a flat piece of ground around home, in metres. Pure, but for the
 * random numbers it is given, and those are seeded: the same seed is the same walk.
 */
export type Random = () => number;

/** A seeded generator of numbers from 0 to below 1: a linear congruence is random enough for cats. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface Habits {
  /** How far it goes from home, metres. */
  readonly rangeM: number;
  /** How far it goes in one step, metres. */
  readonly stepM: number;
  /** Steps outside before it turns home. */
  readonly outSteps: number;
  /** Steps at home before it goes out. */
  readonly homeSteps: number;
}

type Phase = "out" | "returning" | "home" | "charging";

export interface CatState {
  readonly phase: Phase;
  /** Steps since the phase began. */
  readonly steps: number;
  readonly eastM: number;
  readonly northM: number;
  /** Where it looks, radians counter-clockwise from east. */
  readonly heading: number;
  readonly batteryMv: number;
}

const fullMv = 4150;
const tiredMv = 3650;
const chargeBelowMv = 3900;
const chargePerStepMv = 12;

export function distanceM(state: CatState): number {
  return Math.hypot(state.eastM, state.northM);
}

function isOutside(phase: Phase): boolean {
  return phase === "out" || phase === "returning";
}

function headingOf(habits: Habits, state: CatState, random: Random): number {
  const homewards = Math.atan2(-state.northM, -state.eastM);
  if (state.phase === "returning") return homewards + (random() - 0.5) * 0.6;
  if (distanceM(state) > habits.rangeM) return homewards + (random() - 0.5) * 1.5;
  return state.heading + (random() - 0.5) * 1.4;
}

/** A receiver indoors wanders a few metres although the cat sleeps. */
function rest(state: CatState, random: Random): CatState {
  return { ...state, eastM: (random() - 0.5) * 6, northM: (random() - 0.5) * 6 };
}

function move(habits: Habits, state: CatState, random: Random): CatState {
  const heading = headingOf(habits, state, random);
  const length = habits.stepM * (0.5 + random());
  const eastM = state.eastM + Math.cos(heading) * length;
  const northM = state.northM + Math.sin(heading) * length;
  return { ...state, heading, eastM, northM };
}

function nextPhase(habits: Habits, state: CatState): Phase {
  const { phase, steps, batteryMv } = state;
  if (phase === "out") return steps >= habits.outSteps || batteryMv < tiredMv ? "returning" : "out";
  if (phase === "returning") return distanceM(state) < habits.stepM * 1.5 ? "home" : "returning";
  if (phase === "charging") return batteryMv >= fullMv ? "home" : "charging";
  if (steps < habits.homeSteps) return "home";
  return batteryMv < chargeBelowMv ? "charging" : "out";
}

function nextBattery(state: CatState, random: Random): number {
  if (state.phase === "charging") return Math.min(fullMv, state.batteryMv + chargePerStepMv);
  return state.batteryMv - Math.floor(random() * (isOutside(state.phase) ? 4 : 2));
}

/** The cat one step later. */
export function step(habits: Habits, state: CatState, random: Random): CatState {
  const moved = isOutside(state.phase) ? move(habits, state, random) : rest(state, random);
  const later = { ...moved, steps: state.steps + 1, batteryMv: nextBattery(state, random) };
  const phase = nextPhase(habits, later);
  return phase === state.phase ? later : { ...later, phase, steps: 0 };
}
