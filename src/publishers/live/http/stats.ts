/** `/api/stats` and `/api/bridge`: how Pawline is, and what the live API has done. */
import type { Usage } from "../../../lib/metrics.ts";
import type { State } from "../../../model/device.ts";
import type { ApiStats } from "../api/schema.ts";
import type { LiveCounts } from "../counts.ts";
import type { EventLoopWatch } from "../event-loop.ts";
import type { Principal } from "../principal.ts";
import { visibleBridge } from "../visible.ts";
import { json } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";

export interface StatsSources {
  readonly state: State;
  readonly counts: LiveCounts;
  /** `live.max_connections`. */
  readonly mostConnections: number;
  readonly usage: (() => Usage) | undefined;
  readonly eventLoop: EventLoopWatch;
}

export function statsEndpoints(sources: StatsSources): Endpoint[] {
  return [
    { method: "GET", path: "/api/stats", needs: "read", answer: ({ principal }) => json(statsOf(sources, principal)) },
    {
      method: "GET",
      path: "/api/bridge",
      needs: "read",
      answer: ({ principal }) => json(visibleBridge(sources.state, principal)),
    },
  ];
}

export function statsOf(
  { state, counts, mostConnections, usage, eventLoop }: StatsSources,
  principal: Principal,
): ApiStats {
  const bridge = visibleBridge(state, principal);
  const delay = eventLoop.look();
  return {
    uptime_s: Math.max(0, Math.round((Date.now() - Date.parse(bridge.started ?? "")) / 1_000)) || 0,
    connections: {
      open: counts.openConnections,
      websocket: counts.openSockets,
      most: mostConnections,
      refused: counts.refusedConnections,
    },
    requests: {
      answered: counts.answered,
      refused: counts.refused,
      rate_limited: counts.rateLimited,
      malformed: counts.malformed,
    },
    websocket: {
      subscriptions: counts.subscriptions,
      messages_in: counts.messagesIn,
      messages_out: counts.messagesOut,
      dropped: counts.dropped,
      slow_readers: counts.slowReaders,
    },
    components: bridge.components,
    event_loop: delay ? { mean_s: delay.mean, p99_s: delay.p99, max_s: delay.max } : null,
    memory: usage ? { resident_bytes: usage().residentBytes } : null,
  };
}
