/** A broker whose users may not do everything: one that says nothing about it, as most of them do. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import type { AtEnd } from "../support/temp.ts";

interface Rights {
  /** Where not, messages on the topic reach nobody. */
  readonly mayForward?: (topic: string) => boolean;
  /** Where not, subscriptions are refused. */
  readonly maySubscribe?: (topic: string) => boolean;
}

/** Starts it and returns its address. */
export async function brokerWithRights(rights: Rights, atEnd: AtEnd): Promise<string> {
  const { mayForward = () => true, maySubscribe = () => true } = rights;
  const aedes = await Aedes.createBroker({
    authorizeForward: (_client, packet) => (mayForward(packet.topic) ? packet : null),
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, maySubscribe(subscription.topic) ? subscription : null),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    aedes.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await closed;
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `mqtt://127.0.0.1:${address.port}`;
}
