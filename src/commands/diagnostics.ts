/** `pawline diagnostics`: a report for those who look into a problem, with nothing in it that tells whose it is. */
import { createHmac, randomBytes } from "node:crypto";
import { arch, platform } from "node:os";
import { createParts } from "../daemon.ts";
import { VERSION } from "../lib/about.ts";
import { type DataDir, openDataDir } from "../lib/data-dir.ts";
import { describeError, FatalError } from "../lib/errors.ts";
import type { Finding } from "../lib/finding.ts";
import type { State } from "../model/device.ts";
import { readArchive } from "../store/archive.ts";
import { createStore, type Remembered, type Store } from "../store/store.ts";
import { createAnonymizer } from "./anonymous.ts";
import { type CommandContext, openContext } from "./context.ts";
import { factsOf } from "./device-facts.ts";
import { exitCodeOf } from "./findings.ts";
import { maskedConfig } from "./masked-config.ts";
import { writeOutput } from "./output.ts";
import type { ExitCode, GlobalOptions, Terminal } from "./terminal.ts";

interface DiagnosticsOptions extends GlobalOptions {
  readonly output?: string;
}

/** A part that can be tried: a source or a publisher. */
interface Part {
  readonly name: string;
  probe(signal: AbortSignal, emit: Store["dispatch"]): AsyncIterable<Finding>;
}

/** The report is written whatever fails; the exit code tells of the first part that did. */
export async function diagnostics(options: DiagnosticsOptions, terminal: Terminal): Promise<ExitCode> {
  const context = await openContext(options, terminal, "error");
  const { config, log } = context;
  const data = openDataDir(config.data_dir, log);
  const { sources, publishers } = await createParts(config, data, context);
  const store = createStore(
    { version: VERSION, startedAt: Date.now(), logLevel: log.level },
    { maxAccuracyM: config.home.max_accuracy, flapMs: config.home.flap_time },
  );
  if (terminal.stderr.isTTY) terminal.stderr.write("Trying each part, for 15 s at most …\n");
  const tried = [...sources, ...publishers].map((part) => findingsOf(part, store, terminal));
  const findings = (await Promise.all(tried)).flat();
  // What is told by the clock alone: silence, and a subscription that is over.
  store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 0 });
  const report = reportOf(findings, store.state, data, context);
  await writeOutput(options.output, [`${JSON.stringify(report, null, 2)}\n`], terminal);
  return exitCodeOf(findings);
}

interface NamedFinding extends Finding {
  /** The name of the source or the publisher. */
  readonly component: string;
}

async function findingsOf(part: Part, store: Store, { signal }: Terminal): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  const { name: component } = part;
  try {
    for await (const finding of part.probe(signal, store.dispatch)) findings.push({ component, ...finding });
  } catch (error) {
    const result = error instanceof FatalError ? "refused" : "unreachable";
    findings.push({ component, part: "Probe", result, sentence: describeError(error) });
  }
  return findings;
}

function reportOf(
  findings: readonly NamedFinding[],
  state: State,
  data: DataDir,
  { config, loaded, scrubber }: CommandContext,
): object {
  const anonymous = createAnonymizer(config, state);
  const view = { alias: aliasing(data), now: Date.now() };
  return {
    created: new Date(view.now).toISOString(),
    versions: { pawline: VERSION, node: process.versions.node, platform: platform(), arch: arch() },
    configuration: maskedConfig(config),
    configuration_from: loaded.file === undefined ? "environment" : "file",
    // What works is said with names and numbers; only what does not needs its sentence.
    parts: findings.map(({ component, part, result, sentence }) => {
      return { component, part, result, ...(result !== "works" && { sentence: anonymous(scrubber.scrub(sentence)) }) };
    }),
    counters: countersOf(state, readArchive(data)),
    devices: [...state.values()].map((entry) => factsOf(entry, view)).filter((facts) => facts !== undefined),
  };
}

function countersOf(state: State, { devices, activities }: Remembered): object {
  const collars = [...state.values()].filter((entry) => entry.kind === "collar");
  const happened = Object.groupBy(activities, ({ type }) => type);
  return {
    accounts: countOf("account", state),
    collars: collars.length,
    collars_with_position: collars.filter(({ fix }) => fix !== undefined).length,
    collars_at_home: collars.filter(({ home }) => home === true).length,
    home_stations: countOf("homeStation", state),
    remembered_devices: devices.size,
    activities: Object.fromEntries(Object.entries(happened).map(([type, all]) => [type, all.length])),
  };
}

function countOf(kind: "account" | "homeStation", state: State): number {
  return [...state.values()].filter((entry) => entry.kind === kind).length;
}

const NAME = "diagnostics";

/**
 * Eight characters for each key, the same in every report of this installation. There are few enough device numbers
 * to try them all: so the hash is keyed with something that nobody else has.
 */
function aliasing(data: DataDir): (key: string) => string {
  const kept = data.read(NAME);
  const salt = typeof kept === "object" && kept !== null && "salt" in kept ? String(kept.salt) : newSalt(data);
  return (key) => createHmac("sha256", salt).update(key).digest("hex").slice(0, 8);
}

function newSalt(data: DataDir): string {
  const salt = randomBytes(16).toString("hex");
  data.write(NAME, { salt });
  return salt;
}
