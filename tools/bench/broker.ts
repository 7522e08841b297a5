/** The broker in a process of its own: mosquitto where there is one, else the demo's. */
import { once } from "node:events";
import { accessSync, constants, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Child, start } from "./child.ts";

export interface BenchBroker {
  readonly kind: "mosquitto" | "embedded";
  readonly url: string;
  readonly child: Child;
}

const START_MS = 10_000;

export async function startBenchBroker(folder: string): Promise<BenchBroker> {
  const program = findMosquitto();
  return program === undefined ? startEmbedded() : startMosquitto(program, folder);
}

/** Distributions put daemons where a user's PATH does not look. */
function findMosquitto(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "mosquitto")).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function startMosquitto(program: string, folder: string): Promise<BenchBroker> {
  const port = await freePort();
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, configuration(port));
  const child = start(program, ["-c", file]);
  await accepts(port);
  return { kind: "mosquitto", url: `mqtt://127.0.0.1:${port}`, child };
}

/** Nothing may wait for a timer of TCP's, and no message may be dropped. */
function configuration(port: number): string {
  return [
    "user root",
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence false",
    "set_tcp_nodelay true",
    "max_queued_messages 0",
    "max_inflight_messages 0",
    "",
  ].join("\n");
}

async function startEmbedded(): Promise<BenchBroker> {
  const child = start(process.execPath, [fileURLToPath(new URL("embedded-broker.ts", import.meta.url))]);
  return { kind: "embedded", url: await child.firstLine, child };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("there is no free port");
  return address.port;
}

async function accepts(port: number): Promise<void> {
  for (const deadline = performance.now() + START_MS; performance.now() < deadline; await sleep(20)) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`mosquitto did not start within ${START_MS / 1000} s`);
}
