/**
 * `pawline check --commands DEVICE`: finds out, with the owner watching, whether a collar takes commands, and which
 * number switches its light off. It asks before it sends anything.
 */
import { deviceName } from "../entities/name.ts";
import { VERSION } from "../lib/about.ts";
import { monotonicMs, sleep } from "../lib/clock.ts";
import { describeError, RecoverableError, UsageError } from "../lib/errors.ts";
import type { Collar } from "../model/device.ts";
import { pollMs } from "../model/mode.ts";
import { createSources } from "../sources/index.ts";
import type { Source } from "../sources/source.ts";
import { createStore, type Store } from "../store/store.ts";
import type { CommandContext } from "./context.ts";
import { findCollar } from "./find.ts";
import { EXIT, type ExitCode, type Terminal } from "./terminal.ts";

/** The echo of a command is looked for this often, ms. */
const LOOK_MS = 3_000;
/** A collar has missed a command when so many of its polls have passed. */
const POLLS = 2;
const OFF_CODES = [2, 0] as const;

interface Trial {
  readonly store: Store;
  readonly collar: Collar;
  readonly context: CommandContext;
  readonly terminal: Terminal;
}

/** @throws UsageError for a device that there is not, or where nobody can be asked */
export async function checkCommands(called: string, context: CommandContext, terminal: Terminal): Promise<ExitCode> {
  const store = createStore(
    { version: VERSION, startedAt: Date.now(), logLevel: "" },
    { maxAccuracyM: 200, flapMs: 0 },
  );
  for (const source of await sourcesWith(2, context)) await source.list(store.dispatch, terminal.signal);
  const collar = findCollar(store.state, called);
  const trial: Trial = { store, collar, context, terminal };
  if (!(await isAgreed(`Switch the light of ${deviceName(collar)} on? Watch the collar. [y/N] `, terminal)))
    return EXIT.fine;
  if (!(await trySwitching(true, 2, trial))) {
    say("✗ The collar did not take it in time. Is it charged, and in reach of its home station?", terminal);
    return EXIT.unreachable;
  }
  say("✓ The light is on: the collar takes commands.", terminal);
  return await tryOffCodes(trial);
}

async function tryOffCodes(trial: Trial): Promise<ExitCode> {
  const { terminal } = trial;
  for (const code of OFF_CODES) {
    if (!(await isAgreed(`Switch it off with the number ${code}? [y/N] `, terminal))) return EXIT.fine;
    if (await trySwitching(false, code, trial)) {
      const remedy =
        code === OFF_CODES[0]
          ? "nothing to do, it is the default"
          : `write off_code: ${code} into the account's configuration`;
      say(`✓ The light is off with ${code}: ${remedy}.`, terminal);
      return EXIT.fine;
    }
    say(`• ${code} did not switch it off.`, terminal);
  }
  say("✗ Neither number switched it off; please report this.", terminal);
  return EXIT.unexpected;
}

/** Sends the command and looks for its echo until the collar should have taken it. */
async function trySwitching(
  value: boolean,
  code: 0 | 2,
  { store, collar, context, terminal }: Trial,
): Promise<boolean> {
  const { signal } = terminal;
  const source = await sourceOf(collar, code, store, context, signal);
  const patienceMs = POLLS * pollMs(collar.mode);
  say(`Sent; the collar fetches it within ${Math.round(patienceMs / 1_000)} s …`, terminal);
  try {
    await source.execute(collar.key, { kind: "light", value }, signal);
  } catch (error) {
    say(`• The cloud refused it: ${describeError(error)}`, terminal);
    return false;
  }
  const until = monotonicMs() + patienceMs;
  while (monotonicMs() < until && !signal.aborted) {
    await source.refresh(collar.key, signal);
    const now = store.state.get(collar.key);
    if (now?.kind === "collar" && now.light === value) return true;
    await sleep(LOOK_MS, signal);
  }
  return false;
}

/** A source that knows the collar and switches off with this number. */
async function sourceOf(
  collar: Collar,
  code: 0 | 2,
  store: Store,
  context: CommandContext,
  signal: AbortSignal,
): Promise<Source> {
  for (const source of await sourcesWith(code, context)) {
    if (!(source.name in collar.accounts)) continue;
    await source.list(store.dispatch, signal);
    return source;
  }
  throw new RecoverableError(`${collar.key} is in no account`);
}

function sourcesWith(code: 0 | 2, context: CommandContext): Promise<Source[]> {
  return createSources(
    context.config.pettracer.map((account) => ({ ...account, off_code: code })),
    context,
  );
}

function say(text: string, { stdout }: Terminal): void {
  stdout.write(`${text}\n`);
}

async function isAgreed(question: string, terminal: Terminal): Promise<boolean> {
  const answer = await terminal.ask(question);
  if (answer === undefined) throw new UsageError("--commands asks before it sends: run it on a terminal");
  return /^y(es)?$/i.test(answer.trim());
}
