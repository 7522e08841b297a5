/** The way from a change in the world to the streams that asked for it. */
import type { Fields } from "./json.ts";
import { messagesQueue } from "./session.ts";
import { applyPartial, type Device, type Watcher, type World } from "./world.ts";

/** Sends `body` on this queue to those of the watchers that listen; returns how many. */
export function sendTo(watchers: Iterable<Watcher>, destination: string, body: string): number {
  const bodyBytes = Buffer.byteLength(body);
  let count = 0;
  for (const watcher of watchers) {
    if (watcher.deliver(destination, body, bodyBytes)) count += 1;
  }
  return count;
}

/** Changes the device's record and sends the change, and only it; returns how many streams got it. */
export function pushPartial(world: World, device: Device, partial: Fields): number {
  applyPartial(world, device, partial);
  if (device.watchers.size === 0) return 0;
  return sendTo(device.watchers, messagesQueue, JSON.stringify({ ...partial, id: device.id }));
}
