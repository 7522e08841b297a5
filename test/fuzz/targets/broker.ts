/** The bytes of an MQTT broker after its greeting; behind an exclamation mark in place of it. */
import { once } from "node:events";
import { createServer } from "node:net";
import { RecoverableError } from "../../../src/lib/errors.ts";
import { openConnection } from "../../../src/publishers/mqtt/connection.ts";
import { mqttOptions } from "../../../src/publishers/mqtt/options.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { SECRET, watchedLog } from "../watched-log.ts";

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

export const broker: Target = {
  name: "broker",
  dictionary: [
    "!",
    "\x20\x02\x00\x00",
    "\x20\x02\x00\x05",
    "\x90\x03\x00\x01\x01",
    "\x30\x07\x00\x03a/bhi",
    "\x40\x02\x00\x01",
    "\xd0\x00",
    "\xe0\x00",
    "\x30\xff\xff\xff\x7f",
    "\xff\xff\xff\xff\xff",
  ],
  runs: 80,
  open,
};

async function open(): Promise<Trial> {
  let sends: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      for (const piece of sends) socket.write(piece);
      socket.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `mqtt://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const { log, look } = await watchedLog("json");

  async function connect(input: Buffer, version: 4 | 5): Promise<boolean> {
    const isRude = input[0] === 0x21;
    const greeting = version === 5 ? Buffer.from([0x20, 3, 0, 0, 0]) : CONNACK;
    sends = isRude ? [input.subarray(1)] : [greeting, input];
    const options = mqttOptions.parse({ url, username: "u", password: SECRET, protocol_version: version });
    let isOpen = false;
    try {
      const connection = await openConnection(options, "fuzz", undefined, new AbortController().signal);
      isOpen = true;
      const subscribing = connection.subscribe(["a/+"], () => {});
      subscribing.catch(() => {});
      // However it ends, it ends: the broker has closed.
      await connection.lost.catch((error: unknown) => tell(error));
      await connection.end([]);
      await subscribing.catch((error: unknown) => tell(error));
    } catch (error) {
      tell(error);
    }
    look();
    return isOpen;
  }

  function tell(error: unknown): void {
    ensure(error instanceof RecoverableError, `no error of ours: ${String(error)}`);
    log.warn(error.message);
  }

  return {
    async try(input) {
      await connect(input, 4);
      await connect(Buffer.from(input.toString("utf8"), "latin1"), 5);
    },
    async close() {
      const isOpen = await connect(Buffer.alloc(0), 4);
      server.close();
      ensure(isOpen, "a good broker is not heard any more");
    },
  };
}
