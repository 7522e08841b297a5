/** What is served, by method and path. */
import type { IncomingMessage } from "node:http";
import type { View } from "../../entities/entity.ts";
import type { Metrics, Usage } from "../../lib/metrics.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { State } from "../../model/device.ts";
import type { Feed } from "../publisher.ts";
import type { Access } from "./access.ts";
import type { LiveCounts } from "./counts.ts";
import type { EventLoopWatch } from "./event-loop.ts";
import { expose } from "./exposition.ts";
import { missingParts } from "./health.ts";
import { type Answer, json } from "./http/answer.ts";
import { commandEndpoints } from "./http/commands.ts";
import { deviceEndpoints } from "./http/devices.ts";
import { documentEndpoints } from "./http/documents.ts";
import type { Endpoint } from "./http/endpoint.ts";
import { eventEndpoints } from "./http/events.ts";
import { sessionEndpoints } from "./http/session.ts";
import { statsEndpoints } from "./http/stats.ts";
import { trackEndpoints } from "./http/track.ts";
import { ICON } from "./icon.ts";
import { familiesOf } from "./measure.ts";
import type { LiveOptions } from "./options.ts";
import { mainOf, pageOf } from "./page.ts";
import { SCRIPT } from "./script.ts";
import { statusOf } from "./status.ts";
import { STYLE } from "./style.ts";
import { preferredLanguage } from "./texts.ts";

interface Sources {
  readonly feed: Feed;
  readonly view: View;
  readonly options: LiveOptions;
  readonly access: Access;
  readonly counts: LiveCounts;
  readonly metrics: Metrics<CounterTable>;
  readonly usage: (() => Usage) | undefined;
  readonly eventLoop: { readonly forMetrics: EventLoopWatch; readonly forStats: EventLoopWatch };
}

export function createEndpoints(sources: Sources): readonly Endpoint[] {
  const { feed, view, access, counts, options, usage, eventLoop } = sources;
  return [
    ...watchEndpoints(sources),
    ...pageEndpoints(feed.state),
    ...deviceEndpoints(view),
    ...trackEndpoints(feed, view),
    ...commandEndpoints(feed, view),
    ...eventEndpoints(feed),
    ...sessionEndpoints(access),
    ...statsEndpoints({
      state: feed.state,
      counts,
      mostConnections: options.max_connections,
      usage,
      eventLoop: eventLoop.forStats,
    }),
    ...documentEndpoints(),
  ];
}

function watchEndpoints({ feed: { state }, metrics, usage, eventLoop, counts }: Sources): Endpoint[] {
  const measured = { state, metrics, usage, counts, eventLoop: eventLoop.forMetrics };
  return [
    // That it is answered is the answer: the process lives, and its event loop turns.
    { method: "GET", path: "/healthz", needs: "watch", answer: () => json({ status: "ok" }) },
    { method: "GET", path: "/readyz", needs: "watch", answer: () => readiness(state) },
    {
      method: "GET",
      path: "/metrics",
      needs: "metrics",
      answer: () => ({ type: "text/plain; version=0.0.4; charset=utf-8", body: expose(familiesOf(measured)) }),
    },
  ];
}

function pageEndpoints(state: State): Endpoint[] {
  const file = (path: string, type: string, body: string): Endpoint => {
    return { method: "GET", path, needs: "public", answer: () => ({ type, body }) };
  };
  return [
    {
      method: "GET",
      path: "/",
      needs: "read",
      answer: ({ request }) => ({
        type: "text/html; charset=utf-8",
        body: pageOf(statusOf(state), languageOf(request)),
      }),
    },
    { method: "GET", path: "/api/status", needs: "read", answer: ({ request }) => status(state, request) },
    file("/script.js", "text/javascript; charset=utf-8", SCRIPT),
    file("/style.css", "text/css; charset=utf-8", STYLE),
    file("/icon.svg", "image/svg+xml", ICON),
  ];
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
