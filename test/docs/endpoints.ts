/** Everything that is served, by method and path. */
import { createMetrics } from "../../src/lib/metrics.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import { createAccess } from "../../src/publishers/live/access.ts";
import { createCounts } from "../../src/publishers/live/counts.ts";
import type { EventLoopWatch } from "../../src/publishers/live/event-loop.ts";
import type { Endpoint } from "../../src/publishers/live/http/endpoint.ts";
import { liveOptions } from "../../src/publishers/live/options.ts";
import { createEndpoints } from "../../src/publishers/live/routes.ts";
import { idleBridge } from "../support/idle-bridge.ts";
import { noTokens } from "../support/tokens.ts";

export const IDLE_LOOP: EventLoopWatch = {
  take: () => ({ mean: 0, p99: 0, max: 0 }),
  look: () => ({ mean: 0, p99: 0, max: 0 }),
  end() {},
};

export function endpointsOf(): readonly Endpoint[] {
  const options = liveOptions.parse({});
  const state = new Map();
  return createEndpoints({
    feed: { state, changes: async function* () {}, activities: () => [], ...idleBridge },
    view: { state, preferredPosition: "station" },
    options,
    access: createAccess(options, noTokens()),
    counts: createCounts(),
    metrics: createMetrics(COUNTERS),
    usage: undefined,
    eventLoop: { forMetrics: IDLE_LOOP, forStats: IDLE_LOOP },
  });
}
