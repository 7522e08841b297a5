/** The daemon's parts with a heart-beat of our own choice: the daemon's takes half a minute to miss. */
import type { Config } from "../../src/config/schema.ts";
import type { Daemon } from "../../src/daemon.ts";
import type { Logger } from "../../src/lib/log.ts";
import { createMetrics } from "../../src/lib/metrics.ts";
import type { Scrubber } from "../../src/lib/scrub.ts";
import { supervise } from "../../src/lib/supervise.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import { createPublishers } from "../../src/publishers/index.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import { createPetTracerSource } from "../../src/sources/pettracer/source.ts";
import { createStore } from "../../src/store/store.ts";
import { idleBridge } from "./idle-bridge.ts";
import { noTokens } from "./tokens.ts";

interface Tools {
  readonly log: Logger;
  readonly scrubber: Scrubber;
  readonly signal: AbortSignal;
}

export async function startParts(
  config: Config,
  { log, scrubber, signal }: Tools,
  heartbeatMs: number,
): Promise<Daemon> {
  const rules = { maxAccuracyM: config.home.max_accuracy, flapMs: config.home.flap_time };
  const store = createStore({ version: "0", startedAt: 0, logLevel: log.level }, rules);
  const [account] = config.pettracer;
  if (account === undefined) throw new Error("there is no account");
  const metrics = createMetrics(COUNTERS);
  const source = createPetTracerSource("pettracer", account, { log, scrubber, metrics, heartbeatMs });
  const context = {
    metrics,
    log,
    version: "0",
    clientId: "pawline-parts",
    exclude: [],
    preferredPosition: config.home.prefer,
    cursor: () => ({ read: () => 0, write: () => {} }),
    keep: () => ({ read: () => undefined, write: () => {} }),
    scrubber,
    tokens: noTokens(),
  };
  const feed: Feed = {
    state: store.state,
    changes: (end) => store.changes(end),
    activities: (after) => store.activities(after),
    ...idleBridge,
  };
  const publishers = await createPublishers(config, context);
  store.dispatch({ type: "accountConfigured", account: source.name });
  const running = [
    supervise((end, ready) => source.run(store.dispatch, end, ready), { name: source.name, log, signal }),
    ...publishers.map((part) =>
      supervise((end, ready) => part.run(feed, end, ready), { name: part.name, log, signal }),
    ),
  ];
  const ended = Promise.all(running).then(() => {});
  return { store, ended, reload: () => Promise.reject(new Error("the parts cannot be reloaded")) };
}
