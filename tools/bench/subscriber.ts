/** The far end: what Home Assistant would hear. */
import { connectAsync } from "mqtt";

export interface Subscriber {
  end(): Promise<void>;
}

/** `receive` gets each message with the moment at which it was there, by `performance.now()`. */
export async function subscribe(
  brokerUrl: string,
  filters: readonly string[],
  receive: (topic: string, payload: string, at: number) => void,
): Promise<Subscriber> {
  const client = await connectAsync(brokerUrl, { reconnectPeriod: 0 });
  client.on("message", (topic, payload) => {
    const at = performance.now();
    receive(topic, payload.toString("utf8"), at);
  });
  await client.subscribeAsync([...filters], { qos: 0 });
  return { end: () => client.endAsync(true) };
}
