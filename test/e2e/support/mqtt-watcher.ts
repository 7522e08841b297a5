import { connectAsync, type MqttClient } from "mqtt";
import { within } from "./waiting.ts";

export interface WatchedMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

/** Hears what goes over a broker from the moment it was opened, and what the broker had retained before. */
export class MqttWatcher {
  readonly messages: WatchedMessage[] = [];
  readonly #client: MqttClient;
  readonly #onMessage = new Set<() => void>();

  constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (topic, payload, { retain }) => {
      this.messages.push({ topic, payload: payload.toString(), retained: retain });
      for (const look of this.#onMessage) look();
    });
  }

  async subscribe(...filters: readonly string[]): Promise<void> {
    await this.#client.subscribeAsync([...filters], { qos: 1 });
  }

  async publish(topic: string, payload: string, retain = false): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** Looks at the messages from number `from` on, then at those that come; `what` is for the complaint. */
  async waitFor(what: string, ms: number, from: number, accepts: (all: WatchedMessage[]) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (accepts(this.messages.slice(from))) resolve();
    };
    this.#onMessage.add(look);
    look();
    try {
      const heard = (): string =>
        this.messages
          .slice(from)
          .map(({ topic }) => topic)
          .join(", ");
      await within(ms, promise, () => `${what} was not heard, but: ${heard() || "nothing"}`);
    } finally {
      this.#onMessage.delete(look);
    }
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

export async function watchMqtt(url: string): Promise<MqttWatcher> {
  return new MqttWatcher(await connectAsync(url));
}
