/** `POST /api/devices/{id}/commands`: asks something of a collar, and waits a while for what becomes of it. */
import type { View } from "../../../entities/entity.ts";
import { sleep } from "../../../lib/clock.ts";
import { describeError } from "../../../lib/errors.ts";
import { type Feed, type Receipt, ReplacedError } from "../../publisher.ts";
import { requestOf } from "../api/command.ts";
import type { CommandAnswer } from "../api/requests.ts";
import { type ApiDevice, type CommandBody, commandBody } from "../api/schema.ts";
import type { Principal } from "../principal.ts";
import { IDLE_MS } from "../server.ts";
import { type Answer, json } from "./answer.ts";
import { readBody } from "./body.ts";
import { findDevice } from "./devices.ts";
import type { Asked, Endpoint } from "./endpoint.ts";
import { preferredWaitS } from "./prefer.ts";
import { RequestError } from "./problem.ts";

const USUAL_WAIT_S = 10;
const LONGEST_WAIT_S = 60;

export function commandEndpoints(feed: Feed, view: View): Endpoint[] {
  return [
    {
      method: "POST",
      path: "/api/devices/{id}/commands",
      needs: "control",
      answer: (asked) => obey(asked, feed, view),
    },
  ];
}

async function obey(
  { request, params, principal }: Asked & { readonly principal: Principal },
  feed: Feed,
  view: View,
): Promise<Answer> {
  const { entry } = findDevice(params.id, principal, view);
  const body = await readBody(request, commandBody);
  const wanted = requestOf(body, entry, view);
  if (typeof wanted === "string") throw new RequestError(422, "command_refused", wanted);
  const preferredS = preferredWaitS(request.headers.prefer, LONGEST_WAIT_S);
  const waitMs = (preferredS ?? USUAL_WAIT_S) * 1_000;
  // The line is silent meanwhile.
  request.socket.setTimeout(waitMs + IDLE_MS);
  const progress = await follow(feed.request(entry.key, wanted), waitMs);
  const { device } = findDevice(params.id, principal, view);
  const headers: Record<string, string> =
    preferredS === undefined ? {} : { "preference-applied": `wait=${preferredS}` };
  return { ...json(statusOf(body, device, progress), progress === "done" ? 200 : 202), headers };
}

type Progress = "asked" | "accepted" | "done";

/**
 * How far it has come when the time is over.
 * @throws RequestError when it has failed before
 */
async function follow({ accepted, done }: Receipt, ms: number): Promise<Progress> {
  const over = new AbortController();
  const end = sleep(ms, over.signal);
  try {
    if (!(await isBefore(accepted, end))) return "asked";
    return (await isBefore(done, end)) ? "done" : "accepted";
  } catch (error) {
    const status = error instanceof ReplacedError ? 409 : 502;
    throw new RequestError(status, "command_failed", `The command failed: ${describeError(error)}.`);
  } finally {
    over.abort();
  }
}

function isBefore(step: Promise<void>, end: Promise<void>): Promise<boolean> {
  return Promise.race([step.then(() => true), end.then(() => false)]);
}

function statusOf({ command, value }: CommandBody, { id, pending }: ApiDevice, progress: Progress): CommandAnswer {
  const mine = pending.filter((one) => KINDS[command].includes(one.command));
  return {
    status: progress === "done" ? "done" : "pending",
    device: id,
    command,
    value: value ?? null,
    accepted: progress !== "asked",
    until:
      progress === "done"
        ? null
        : (mine
            .map(({ until }) => until)
            .toSorted()
            .at(-1) ?? null),
  };
}

/** What each command makes the cloud be told. */
const KINDS: Readonly<Record<CommandBody["command"], readonly ApiDevice["pending"][number]["command"][]>> = {
  live: ["mode"],
  mode: ["mode"],
  power_off: ["mode"],
  light: ["light"],
  buzzer: ["buzzer"],
  find: ["mode", "light", "buzzer"],
};
