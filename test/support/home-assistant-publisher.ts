import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { homeAssistantOptions } from "../../src/publishers/homeassistant/options.ts";
import { createHomeAssistantPublisher } from "../../src/publishers/homeassistant/publisher.ts";
import type { Feed, Publisher } from "../../src/publishers/publisher.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { PRODUCT } from "./arbitraries.ts";
import type { FakeHomeAssistant } from "./fake-home-assistant.ts";
import { idleBridge } from "./idle-bridge.ts";
import { memoryStream } from "./stream.ts";

/** The publisher as the daemon makes it, for a Home Assistant that is a fake, and with nothing kept from before. */
export async function publisherTo(
  fake: FakeHomeAssistant,
  more: object = {},
): Promise<{ readonly publisher: Publisher; readonly log: Logger }> {
  const scrubber = createScrubber();
  const log = await createLog({ level: "debug", format: "json", scrubber, output: memoryStream() });
  const options = homeAssistantOptions.parse({ url: fake.url, token: fake.moods.token, ...more });
  const publisher = createHomeAssistantPublisher(options, {
    log,
    scrubber,
    version: "0",
    clientId: "pawline-test",
    exclude: [],
    preferredPosition: "station",
    cursor: { read: () => 0, write: () => {} },
    keep: { read: () => undefined, write: () => {} },
    published: { value: 0 },
    hasBroker: () => Promise.resolve(false),
  });
  return { publisher, log };
}

/** A state in which an account has listed one cat, `pettracer_1`; nothing of what happens is told. */
export function storeOfOreo(): { readonly store: Store; readonly feed: Feed } {
  const store = createStore({ version: "1", startedAt: 0, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 60_000 });
  store.dispatch({ type: "accountConfigured", account: "pettracer" });
  const collar = { key: "pettracer_1", id: 1, product: PRODUCT, report: { name: "Oreo", batteryMv: 4_000 } };
  const listing = { account: "pettracer", at: Date.now(), isConfirmed: true, collars: [collar], stations: [] };
  store.dispatch({ type: "devicesListed", ...listing });
  const feed: Feed = {
    ...idleBridge,
    state: store.state,
    changes: (ended) => store.changes(ended),
    activities: () => [],
  };
  return { store, feed };
}
