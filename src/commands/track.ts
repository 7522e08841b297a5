/**
 * `pawline track DEVICE`: the positions of a collar as a document: those that the daemon has kept, and for the times in
 * which it may have missed some, those that the cloud keeps.
 */
import { extname } from "node:path";
import { deviceName } from "../entities/name.ts";
import { FORMATS, type FormatName, TRACK_FORMATS, type TrackFormat } from "../entities/track-formats.ts";
import { VERSION } from "../lib/about.ts";
import { openDataDir } from "../lib/data-dir.ts";
import { UsageError } from "../lib/errors.ts";
import type { Collar } from "../model/device.ts";
import type { Span } from "../model/span.ts";
import { createSources } from "../sources/index.ts";
import type { Source, TrackSlice } from "../sources/source.ts";
import { readArchive } from "../store/archive.ts";
import { createStore } from "../store/store.ts";
import { joinedTrack, openTrackReader, type TrackReader } from "../track/reader.ts";
import { type CommandContext, openContext } from "./context.ts";
import { collarsCalled, findCollar } from "./find.ts";
import { writeOutput } from "./output.ts";
import { createProgress } from "./progress.ts";
import { readSpan } from "./span.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface TrackOptions extends GlobalOptions {
  readonly from?: string;
  readonly to?: string;
  readonly format?: FormatName;
  readonly output?: string;
}

/** What is to be written, and what has been. */
interface Job {
  readonly called: string;
  readonly span: Span;
  readonly format: TrackFormat;
  readonly context: CommandContext;
  /** What the daemon has kept, where it has. */
  readonly reader: TrackReader | undefined;
  readonly terminal: Terminal;
  name: string;
  count: number;
}

/** Shorter spans are there before anybody wonders. */
const SHORT_MS = 2 * 86_400_000;

/** @throws UsageError for a device that there is not, or two of; FatalError, RecoverableError */
export async function track(called: string, options: TrackOptions, terminal: Terminal): Promise<ExitCode> {
  const span = readSpan(options, Date.now());
  const format = TRACK_FORMATS[options.format ?? formatOf(options.output)];
  const context = await openContext(options, terminal, "warn");
  const { config, log } = context;
  const reader = config.track.retention === 0 ? undefined : await openTrackReader(config.data_dir, log);
  const job: Job = { called, span, format, context, reader, terminal, name: "", count: 0 };
  try {
    if (await writeOutput(options.output, documentOf(job), terminal)) conclude(job, options.output, terminal);
    return EXIT.fine;
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    terminal.stderr.write("stopped\n");
    return EXIT.unexpected;
  } finally {
    reader?.close();
  }
}

/** As the file's name says, where it says something. */
function formatOf(file = ""): FormatName {
  return FORMATS.find((name) => extname(file).toLowerCase() === `.${name}`) ?? "gpx";
}

async function* documentOf(job: Job): AsyncGenerator<string> {
  const { format, span, terminal } = job;
  const { collar, slices } = await findTrack(job);
  job.name = deviceName(collar);
  yield format.head(job.name);
  const progress = createProgress(terminal, span.toAt - span.fromAt > SHORT_MS);
  try {
    for await (const slice of slices) {
      yield* fixesOf(slice, job);
      progress.at((slice.untilAt - span.fromAt) / (span.toAt - span.fromAt), positions(job.count));
    }
  } finally {
    progress.end();
  }
  yield format.tail;
}

function* fixesOf({ fixes }: TrackSlice, job: Job): Generator<string> {
  for (const fix of fixes) {
    yield (job.count === 0 ? "" : job.format.between) + job.format.fix(fix);
    job.count += 1;
  }
}

interface Found {
  readonly collar: Collar;
  readonly slices: AsyncIterable<TrackSlice>;
}

async function findTrack(job: Job): Promise<Found> {
  const { called, span, reader, context, terminal } = job;
  const known = collarsCalled(readArchive(openDataDir(context.config.data_dir, context.log)).devices, called);
  const [collar] = known;
  const gaps = collar && known.length === 1 && reader?.gaps(collar.key, span);
  if (!collar || !reader || !gaps) return await askCloud(job);
  if (gaps.length === 0) {
    terminal.stderr.write("Taken from what Pawline has kept; PetTracer was not asked.\n");
    return { collar, slices: joinedTrack(reader, collar.key, span, nothing) };
  }
  try {
    return await askCloud(job);
  } catch (error) {
    if (!(error instanceof UsageError)) tellKept(reader.covered(collar.key, span), terminal);
    throw error;
  }
}

async function* nothing(): AsyncGenerator<TrackSlice> {}

async function askCloud({ called, span, reader, context, terminal }: Job): Promise<Found> {
  const { signal } = terminal;
  const store = createStore(
    { version: VERSION, startedAt: Date.now(), logLevel: "" },
    { maxAccuracyM: context.config.home.max_accuracy, flapMs: 0 },
  );
  const sources = await createSources(context.config.pettracer, context);
  for (const source of sources) await source.list(store.dispatch, signal);
  const collar = findCollar(store.state, called);
  const source = sourceOf(collar, sources);
  const fetch = source?.positions && ((gap: Span) => source.positions?.(collar.key, gap, signal) ?? nothing());
  if (fetch === undefined) throw new UsageError(`no positions are kept of ${deviceName(collar)}`);
  return { collar, slices: reader ? joinedTrack(reader, collar.key, span, fetch) : fetch(span) };
}

/** What can be had without the cloud, for whoever cannot reach it. */
function tellKept(spans: readonly Span[], { stderr }: Terminal): void {
  for (const { fromAt, toAt } of spans.slice(-3)) {
    const [from, to] = [new Date(fromAt).toISOString(), new Date(toAt).toISOString()];
    stderr.write(`What Pawline has kept can be had without PetTracer: --from ${from} --to ${to}\n`);
  }
}

function sourceOf({ accounts }: Collar, sources: readonly Source[]): Source | undefined {
  return sources.find(({ name }) => name in accounts);
}

/** On standard error, since standard output may be the document. */
function conclude({ name, count, span }: Job, file: string | undefined, { stderr }: Terminal): void {
  const [from, to] = [new Date(span.fromAt).toISOString(), new Date(span.toAt).toISOString()];
  if (count === 0) stderr.write(`No positions of ${name} are kept from ${from} to ${to}.\n`);
  else if (file !== undefined) stderr.write(`${positions(count)} of ${name} written to ${file}\n`);
}

function positions(count: number): string {
  return `${count} position${count === 1 ? "" : "s"}`;
}
