/** What is served, by method and path. */
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
import { pageEndpoints } from "./http/page.ts";
import { sessionEndpoints } from "./http/session.ts";
import { statsEndpoints } from "./http/stats.ts";
import { trackEndpoints } from "./http/track.ts";
import { familiesOf } from "./measure.ts";
import type { LiveOptions } from "./options.ts";

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
    ...pageEndpoints(options),
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

function readiness(state: State): Answer {
  const missing = missingParts(state);
  return json({ ready: missing.length === 0, missing }, missing.length === 0 ? 200 : 503);
}
