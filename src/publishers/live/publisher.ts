/** A way out for people and for other programs: a page, an API, health and metrics, served by HTTP. */
import type { View } from "../../entities/entity.ts";
import { aborted } from "../../lib/clock.ts";
import { FatalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { Metrics, Usage } from "../../lib/metrics.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { TokenKeeper } from "../../tokens/keeper.ts";
import type { Feed, Publisher } from "../publisher.ts";
import { lacksToken, noTokenAt, tokenMade } from "./access/missing-token.ts";
import { createAccess } from "./access.ts";
import { createCountedLog } from "./counted-log.ts";
import { createCounts } from "./counts.ts";
import { createEventLoopWatch } from "./event-loop.ts";
import { watchConnections } from "./http/connections.ts";
import { answerMalformed } from "./http/malformed.ts";
import { createRouter } from "./http/router.ts";
import { statsOf } from "./http/stats.ts";
import type { LiveOptions } from "./options.ts";
import { probe } from "./probe.ts";
import { createEndpoints } from "./routes.ts";
import { addressOf, type OpenServer, openServer } from "./server.ts";
import { createSocketServer } from "./socket/socket-server.ts";
import { admitSockets } from "./upgrade.ts";

interface Context {
  readonly log: Logger;
  readonly metrics: Metrics<CounterTable>;
  readonly preferredPosition: View["preferredPosition"];
  readonly tokens: TokenKeeper;
  readonly usage?: (() => Usage) | undefined;
}

export function createLivePublisher(options: LiveOptions, context: Context): Publisher {
  const { tokens } = context;
  return {
    name: "live",
    probe: (signal) => probe(options, tokens, signal),
    async run(feed, signal, ready) {
      if (lacksToken(options, tokens)) {
        throw new FatalError(noTokenAt(options), { mended: (ended) => tokenMade(tokens, ended) });
      }
      await serve(options, context, feed, signal, ready);
    },
  };
}

async function serve(
  options: LiveOptions,
  { log, metrics, usage, tokens, preferredPosition }: Context,
  feed: Feed,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  const eventLoop = { forMetrics: createEventLoopWatch(), forStats: createEventLoopWatch() };
  const [counts, turnedAway, access] = [createCounts(), createCountedLog(log), createAccess(options, tokens)];
  const view: View = { state: feed.state, preferredPosition };
  const stats = {
    state: feed.state,
    counts,
    mostConnections: options.max_connections,
    usage,
    eventLoop: eventLoop.forStats,
  };
  const endpoints = createEndpoints({ feed, view, options, access, counts, metrics, usage, eventLoop });
  const sockets = createSocketServer({
    feed,
    preferredPosition,
    counts,
    turnedAway,
    log,
    access,
    stats: (principal) => statsOf(stats, principal),
  });
  let server: OpenServer | undefined;
  try {
    server = await openServer(options, (http) => {
      const connections = watchConnections(http, options, { counts, turnedAway });
      answerMalformed(http, { counts, turnedAway });
      const context = { options, access, counts, turnedAway, log, refusalOfConnection: connections.refusalOf };
      http.on("request", createRouter(endpoints, context));
      admitSockets(http, context, sockets.admit);
    });
    log.info(`the page is at ${addressOf(options)}/`);
    ready();
    await Promise.race([server.failed, sockets.failed, aborted(signal), access.watch(signal)]);
  } finally {
    eventLoop.forMetrics.end();
    eventLoop.forStats.end();
    await sockets.close();
    await server?.close();
    turnedAway.end();
  }
}
