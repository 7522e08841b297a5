/** `pawline demo`: the daemon with everything around it on loopback, no account and no configuration needed. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../config/schema.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { startBroker } from "../demo/broker.ts";
import { demoAccount, startCats } from "../demo/cats.ts";
import { startCloud } from "../demo/cloud.ts";
import { UsageError } from "../lib/errors.ts";
import { createLog, LOG_LEVELS } from "../lib/log.ts";
import { createScrubber } from "../lib/scrub.ts";
import { deviceLine } from "./lines.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface DemoOptions extends GlobalOptions {
  readonly port: string;
}

/** A collar of the demo takes a command within seconds instead of minutes. */
const POLL_SCALE = 0.05;
const PAGE_PORT = 8099;

export async function demo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const scrubber = createScrubber();
  const level = LOG_LEVELS.find((name) => name === options.logLevel) ?? "warn";
  const log = await createLog({ level, format: "auto", scrubber, output: terminal.stderr });
  terminal.onDefect((error) => log.error({ err: error }, "an unexpected error; please report it"));
  const broker = await startBroker({ port: portOf(options.port) });
  // Whoever takes any port for the broker does so for the page.
  const pagePort = await freePort(options.port === "0" ? 0 : PAGE_PORT);
  const cloud = await startCloud({ pollScale: POLL_SCALE });
  const stopCats = startCats(cloud);
  const folder = await mkdtemp(join(tmpdir(), "pawline-demo-"));
  const config = configSchema.parse({
    pettracer: [
      {
        username: demoAccount.login,
        password: demoAccount.password,
        portal_url: cloud.portalUrl,
        stream_url: cloud.streamUrl,
      },
    ],
    mqtt: { url: broker.url },
    live: { port: pagePort },
    data_dir: folder,
  });
  terminal.stdout.write(introduction(broker.port, pagePort));
  const daemon = await startDaemon(config, { log, scrubber, signal: terminal.signal });
  await tellUpdates(daemon, terminal);
  await daemon.ended;
  stopCats();
  await Promise.all([cloud.close(), broker.close(), rm(folder, { recursive: true, force: true })]);
  return EXIT.fine;
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError("--port: must be a port number, 0 to 65535");
}

/** The preferred port, or another one where that is taken. */
async function freePort(preferred: number): Promise<number> {
  const server = createServer();
  const listening = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  await listening(preferred).catch(() => listening(0));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : preferred;
}

function introduction(port: number, pagePort: number): string {
  return [
    "Pawline's demo: three cats in a simulated PetTracer cloud, published to an MQTT broker inside this program.",
    "",
    `  MQTT broker   mqtt://127.0.0.1:${port} (no user, no password)`,
    `  Live page     http://127.0.0.1:${pagePort}/`,
    `  Look at it    mosquitto_sub -h 127.0.0.1 -p ${port} -v -t '#'`,
    "  End it        Ctrl+C",
    "",
    "",
  ].join("\n");
}

/** Writes a line for each device that has something new to tell, until the program is stopped. */
async function tellUpdates({ store }: Daemon, { stdout, signal }: Terminal): Promise<void> {
  const told = new Map<string, string>();
  for await (const { state, changed } of store.changes(signal)) {
    for (const key of changed) {
      const entry = state.get(key);
      if (entry?.kind !== "collar" && entry?.kind !== "homeStation") continue;
      const line = deviceLine(entry, { state, preferredPosition: "station" });
      if (told.get(key) === line) continue;
      told.set(key, line);
      stdout.write(`${new Date().toTimeString().slice(0, 8)}  ${line}\n`);
    }
  }
}
