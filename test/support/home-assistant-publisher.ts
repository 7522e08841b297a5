import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { homeAssistantOptions } from "../../src/publishers/homeassistant/options.ts";
import { createHomeAssistantPublisher } from "../../src/publishers/homeassistant/publisher.ts";
import type { Publisher } from "../../src/publishers/publisher.ts";
import type { FakeHomeAssistant } from "./fake-home-assistant.ts";
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
