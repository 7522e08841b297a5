/** Waits until another route is the right one: the MQTT integration was set up, or was removed. */
import { sleep } from "../../lib/clock.ts";
import { RecoverableError } from "../../lib/errors.ts";
import { chooseRoute, mqttStateOf, type RouteName } from "./route.ts";
import { type Session, situationOf, whoAmI } from "./situation.ts";

/** An integration that is reloaded, or whose broker is away, is back after a while: nothing moves for that. */
const GRACE_MS = 30_000;

/** A user's rights change without a word: they are asked for again. */
const RIGHTS_MS = 120_000;

/** Resolves when the change has lasted, or the signal is aborted. */
export async function routeChanged(
  current: RouteName,
  wanted: RouteName | "auto",
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  let wake = (): void => {};
  session.onEntriesChanged(() => wake());
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (isRight(current, wanted, session)) {
      await Promise.race([changed, sleep(RIGHTS_MS, signal)]);
      await checkRights(session, signal);
    } else if (current === "mobile_app") return;
    else {
      await sleep(GRACE_MS, signal);
      if (!isRight(current, wanted, session)) return;
    }
  }
}

/** @throws RecoverableError where they are others now: a new session begins with them */
async function checkRights({ ha, user }: Session, signal: AbortSignal): Promise<void> {
  if (signal.aborted || (await whoAmI(ha)).isAdmin === user.isAdmin) return;
  throw new RecoverableError("the rights of the token's user have changed");
}

function isRight(current: RouteName, wanted: RouteName | "auto", session: Session): boolean {
  const decision = chooseRoute(wanted, situationOf(session));
  return "route" in decision && decision.route === current;
}

/** Resolves when the MQTT integration is loaded or is not going to be, with some patience for one that is starting. */
export async function mqttSettled({ entries }: Session, signal: AbortSignal): Promise<void> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(GRACE_MS)]);
  const isSettled = (): boolean => !["starting", "failed"].includes(mqttStateOf(entries));
  while (!stop.aborted && !isSettled()) await sleep(LOOK_EVERY_MS, stop);
}

const LOOK_EVERY_MS = 500;
