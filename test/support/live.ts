/** The publisher `live` by itself, over a state that the test has made. */
import type { TestContext } from "vitest";
import { createLog } from "../../src/lib/log.ts";
import { createMetrics } from "../../src/lib/metrics.ts";
import type { z } from "../../src/lib/schema.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import type { State } from "../../src/model/device.ts";
import { liveOptions } from "../../src/publishers/live/options.ts";
import { createLivePublisher } from "../../src/publishers/live/publisher.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import type { TokenKeeper } from "../../src/tokens/keeper.ts";
import { freePort } from "../e2e/support/network.ts";
import { idleBridge } from "./idle-bridge.ts";
import { memoryStream } from "./stream.ts";
import { noTokens } from "./tokens.ts";

export interface Live {
  readonly url: string;
  readonly port: number;
  readonly log: () => string;
  /** Ends it, and returns when it has ended. */
  readonly stop: () => Promise<void>;
}

/** Serves, until the test has ended. */
export async function startLive(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  state: State,
  draft: z.input<typeof liveOptions> = {},
  { tokens = noTokens(), ...feed }: Partial<Feed> & { readonly tokens?: TokenKeeper } = {},
): Promise<Live> {
  const output = memoryStream();
  const log = await createLog({ level: "trace", format: "json", scrubber: createScrubber(), output });
  const options = liveOptions.parse({ port: await freePort(), ...draft });
  const usage = () => ({ residentBytes: 50_000_000, cpuS: 1.5 });
  const context = { log, metrics: createMetrics(COUNTERS), usage, tokens, preferredPosition: "station" } as const;
  const publisher = createLivePublisher(options, context);
  const stop = new AbortController();
  const { promise: isReady, resolve: ready, reject } = Promise.withResolvers<void>();
  const whole: Feed = {
    state,
    changes: () => (async function* () {})(),
    activities: () => [],
    ...idleBridge,
    ...feed,
  };
  const ended = publisher.run(whole, stop.signal, () => ready());
  ended.catch(reject);
  await isReady;
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  onTestFinished(end);
  return { url: `http://127.0.0.1:${options.port}`, port: options.port, log: () => output.text(), stop: end };
}
