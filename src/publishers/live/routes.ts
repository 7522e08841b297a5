/** What is served, by path. */
import type { IncomingMessage } from "node:http";
import type { Metrics, Usage } from "../../lib/metrics.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { State } from "../../model/device.ts";
import type { EventLoopWatch } from "./event-loop.ts";
import { expose } from "./exposition.ts";
import { missingParts } from "./health.ts";
import { ICON } from "./icon.ts";
import { familiesOf } from "./measure.ts";
import { mainOf, pageOf } from "./page.ts";
import type { Answer, Route } from "./router.ts";
import { SCRIPT } from "./script.ts";
import { statusOf } from "./status.ts";
import { STYLE } from "./style.ts";
import { preferredLanguage } from "./texts.ts";

interface Sources {
  readonly state: State;
  readonly metrics: Metrics<CounterTable>;
  readonly usage: (() => Usage) | undefined;
  readonly eventLoop: EventLoopWatch;
}

export function createRoutes(sources: Sources): ReadonlyMap<string, Route> {
  const { state } = sources;
  const page = (answer: Route["answer"]): Route => ({ audience: "page", answer });
  const watch = (answer: Route["answer"]): Route => ({ audience: "watch", answer });
  return new Map([
    // That it is answered is the answer: the process lives, and its event loop turns.
    ["/healthz", watch(() => json({ status: "ok" }))],
    ["/readyz", watch(() => readiness(state))],
    [
      "/metrics",
      watch(() => ({ type: "text/plain; version=0.0.4; charset=utf-8", body: expose(familiesOf(sources)) })),
    ],
    [
      "/",
      page((request) => ({ type: "text/html; charset=utf-8", body: pageOf(statusOf(state), languageOf(request)) })),
    ],
    ["/api/status", page((request) => status(state, request))],
    ["/script.js", page(() => ({ type: "text/javascript; charset=utf-8", body: SCRIPT }))],
    ["/style.css", page(() => ({ type: "text/css; charset=utf-8", body: STYLE }))],
    ["/icon.svg", page(() => ({ type: "image/svg+xml", body: ICON }))],
  ]);
}

function json(value: object, status = 200): Answer {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

function readiness(state: State): Answer {
  const missing = missingParts(state);
  return json({ ready: missing.length === 0, missing }, missing.length === 0 ? 200 : 503);
}

/** The data, and the same as the page shows it, in the reader's language. */
function status(state: State, request: IncomingMessage): Answer {
  const now = statusOf(state);
  return json({ ...now, page: mainOf(now, languageOf(request)) });
}

function languageOf({ headers }: IncomingMessage): ReturnType<typeof preferredLanguage> {
  return preferredLanguage(headers["accept-language"]);
}
