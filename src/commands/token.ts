/** `pawline token`: who may use the live API. The daemon takes up each change by itself, within a second or two. */
import { timestamp } from "../entities/entity.ts";
import { deviceName } from "../entities/name.ts";
import { type DataDir, openDataDir } from "../lib/data-dir.ts";
import { UsageError } from "../lib/errors.ts";
import { isLoopback } from "../lib/loopback.ts";
import { readArchive } from "../store/archive.ts";
import { changeTokens, readTokens } from "../tokens/file.ts";
import { readUses } from "../tokens/keeper.ts";
import { makeToken, type Scope, type Token } from "../tokens/token.ts";
import { type CommandContext, openContext } from "./context.ts";
import { table } from "./lines.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface ListOptions extends GlobalOptions {
  readonly json?: boolean;
}

interface CreateOptions extends ListOptions {
  readonly name: string;
  readonly scope?: readonly Scope[];
  readonly device?: readonly string[];
}

/** @throws UsageError for a name that is taken or cannot be shown, and for a device that there is not */
export async function createToken(options: CreateOptions, terminal: Terminal): Promise<ExitCode> {
  const { config, log } = await openContext(options, terminal, "warn");
  const data = openDataDir(config.data_dir, log);
  const wish = { name: checkedName(options.name), scopes: options.scope ?? ["read" as const] };
  const devices = options.device?.map((called) => deviceCalled(called, data));
  const made = makeToken({ ...wish, ...(devices && { devices: [...new Set(devices)] }) }, Date.now());
  await changeTokens(config.data_dir, (tokens) => {
    if (tokens.some(({ name }) => isSame(name, wish.name))) {
      throw new UsageError(`--name: there is a token ${wish.name} already: revoke it, or take another name`);
    }
    return [[...tokens, made.token], undefined];
  });
  const { stdout, stderr } = terminal;
  if (options.json === true) {
    stdout.write(`${JSON.stringify({ ...recordOf(made.token), token: made.secret }, null, 2)}\n`);
    return EXIT.fine;
  }
  stdout.write(`${made.secret}\n`);
  stderr.write(`This is the token ${wish.name}. It is shown this once: keep it where its program can read it.\n`);
  if (config.live === undefined) stderr.write("There is no live API yet: add “live: {}” to the configuration.\n");
  return EXIT.fine;
}

export async function listTokens(options: ListOptions, terminal: Terminal): Promise<ExitCode> {
  const { config, log } = await openContext(options, terminal, "warn");
  const tokens = readTokens(config.data_dir);
  const uses = readUses(openDataDir(config.data_dir, log));
  const records = tokens.map((token) => ({ ...recordOf(token), last_used_at: timestamp(uses[token.id]) }));
  if (options.json === true) terminal.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
  else if (records.length === 0) terminal.stderr.write("There are no tokens.\n");
  else {
    const rows = records.map((one) => [
      one.id,
      one.name,
      one.scopes.join(", "),
      one.devices?.join(", ") ?? "all",
      one.created_at ?? "",
      one.last_used_at ?? "never",
    ]);
    const heads = ["ID", "NAME", "SCOPES", "DEVICES", "CREATED", "LAST USED"];
    terminal.stdout.write(`${table([heads, ...rows])}\n`);
  }
  return EXIT.fine;
}

/** @throws UsageError for one that there is not */
export async function revokeToken(called: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { config } = await openContext(options, terminal, "warn");
  const [revoked, left] = await changeTokens<[Token, number]>(config.data_dir, (tokens) => {
    const found = tokens.find(({ id, name }) => id === called.trim().toLowerCase() || isSame(name, called));
    if (found === undefined) {
      const names = tokens.map(({ id, name }) => `${name} (${id})`).join(", ");
      throw new UsageError(`there is no token ${called}; there are ${names || "none"}`);
    }
    const rest = tokens.filter((token) => token !== found);
    return [rest, [found, rest.length]];
  });
  terminal.stderr.write(`The token ${revoked.name} is revoked: whoever uses it is put out within two seconds.\n`);
  if (left === 0) terminal.stderr.write(`${whatWithoutTokens(config)}\n`);
  return EXIT.fine;
}

function whatWithoutTokens({ live }: CommandContext["config"]): string {
  if (live === undefined || isLoopback(live.host)) {
    return "It was the last one: whoever sits at this computer can use the live API without a token now.";
  }
  return "It was the last one: nobody can use the live API now, until there is another one.";
}

function recordOf({ id, name, scopes, devices, createdAt }: Token) {
  return { id, name, scopes, devices: devices ?? null, created_at: timestamp(createdAt) };
}

const LONGEST_NAME = 64;

function checkedName(text: string): string {
  const name = text.trim();
  if (name !== "" && name.length <= LONGEST_NAME && !/\p{C}/u.test(name)) return name;
  throw new UsageError(`--name: must have 1 to ${LONGEST_NAME} characters, none of which is invisible`);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.trim().toLowerCase();
}

/** What every cloud's devices, and its accounts, are called in topics. */
const DEVICE_ID = /^[a-z][a-z0-9]*_(?:[a-z]+_)?\d+$/;

/** The id of the device with this id, number or name, among those that the daemon has seen. */
function deviceCalled(called: string, data: DataDir): string {
  const wanted = called.trim().toLowerCase();
  const known = [...readArchive(data).devices.values()].filter((entry) => "id" in entry);
  const found = known.filter((one) => [one.key, String(one.id), deviceName(one).toLowerCase()].includes(wanted));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first.key;
  // It may be one that has still to come.
  if (found.length === 0 && DEVICE_ID.test(wanted)) return wanted;
  const names = known.map((one) => `${one.key} (${deviceName(one)})`).join(", ");
  const problem =
    found.length > 1 ? `there are ${found.length} devices called ${called}` : `there is no device ${called}`;
  throw new UsageError(`--device: ${problem}; Pawline has seen ${names || "none yet: name it by its id"}`);
}
