/**
 * Whether the broker is still there: it is asked every ten seconds, and believed of whatever it sends. The client
 * library takes nothing but the answer to its ping for a sign of life, and that within ten seconds: on a way that is
 * slow, the answer stands in a queue behind all that is on its way, and every connection would be given up.
 */
import type { MqttClient } from "mqtt";
import { monotonicMs } from "../../lib/clock.ts";

const ASK_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** A connection on which nothing came for so long is none any more. */
export const SILENCE_MS = 30_000;

/** For the client library: it has no pulse of its own. */
export const NO_TIMER = { set: () => 0, clear: () => {} };

/** From the CONNACK on, until the client closes. @param onSilence called once */
export function keepPulse(client: MqttClient, onSilence: () => void): void {
  let [heardAt, askedAt, bytesBefore] = [monotonicMs(), monotonicMs(), 0];
  const hear = (): void => {
    heardAt = monotonicMs();
  };
  const look = (): void => {
    const bytes = bytesRead(client);
    if (bytes > bytesBefore) hear();
    bytesBefore = bytes;
    const now = monotonicMs();
    if (now - heardAt > SILENCE_MS) {
      clearInterval(looking);
      onSilence();
    } else if (now - askedAt >= ASK_EVERY_MS && client.connected) {
      askedAt = now;
      client.sendPing();
    }
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  client.on("packetreceive", hear);
  client.once("close", () => clearInterval(looking));
}

/** Half a packet is a sign of life, too. A WebSocket does not tell of it. */
function bytesRead({ stream }: MqttClient): number {
  return "bytesRead" in stream && typeof stream.bytesRead === "number" ? stream.bytesRead : 0;
}
