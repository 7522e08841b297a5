/** A way out for people and for monitoring: a status page, health and metrics, served by HTTP. */
import { aborted } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import type { Metrics, Usage } from "../../lib/metrics.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { Publisher } from "../publisher.ts";
import { createEventLoopWatch } from "./event-loop.ts";
import type { LiveOptions } from "./options.ts";
import { probe } from "./probe.ts";
import { createRouter } from "./router.ts";
import { createRoutes } from "./routes.ts";
import { addressOf, openServer } from "./server.ts";

interface Context {
  readonly log: Logger;
  readonly metrics: Metrics<CounterTable>;
  readonly usage?: (() => Usage) | undefined;
}

export function createLivePublisher(options: LiveOptions, { log, metrics, usage }: Context): Publisher {
  return {
    name: "live",
    probe: (signal) => probe(options, signal),
    async run({ state }, signal, ready) {
      const eventLoop = createEventLoopWatch();
      const routes = createRoutes({ state, metrics, usage, eventLoop });
      const server = await openServer(createRouter(routes, options, log), options);
      try {
        log.info(`the status page is at ${addressOf(options)}/`);
        ready();
        await Promise.race([server.failed, aborted(signal)]);
      } finally {
        eventLoop.end();
        await server.close();
      }
    },
  };
}
