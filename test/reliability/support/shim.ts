/**
 * Loaded into the daemon's process before anything else (`--import`): clocks that a test can set, and names of hosts that
 * it can take away. They stand in a small file, each at its place, that is read at each use: so they change at one moment
 * for the whole program, also while it is stopped.
 */
import dns from "node:dns";
import { openSync, readSync } from "node:fs";

const NUMBER_LENGTH = 16;
const NAMES_AT = 2 * NUMBER_LENGTH;
const LONGEST = 1_024;

const { TEST_COMPUTER: file = "" } = process.env;
const handle = openSync(file, "r");
const bytes = Buffer.alloc(LONGEST);

function read(from: number, length: number): string {
  return bytes.toString("utf8", 0, readSync(handle, bytes, 0, length, from)).trim();
}

const RealDate = Date;
const now = (): number => RealDate.now() + Number(read(0, NUMBER_LENGTH));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === globalThis.Date ? target : newTarget),
  get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver)),
});

const monotonicMs = performance.now.bind(performance);
performance.now = () => monotonicMs() - Number(read(NUMBER_LENGTH, NUMBER_LENGTH));

const { lookup } = dns;
const patched = (name: string, options: unknown, callback?: unknown): void => {
  const gone = read(NAMES_AT, LONGEST).split(" ");
  const answer = (callback ?? options) as (error: Error | null, address?: unknown, family?: number) => void;
  const isAll = typeof options === "object" && options !== null && "all" in options && options.all === true;
  if (gone.includes(name)) {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
      code: "ENOTFOUND",
      syscall: "getaddrinfo",
    });
    setImmediate(answer, Object.assign(error, { errno: -3008, hostname: name }));
  } else if (name.endsWith(".test")) {
    const address = "127.0.0.1";
    if (isAll) setImmediate(answer, null, [{ address, family: 4 }]);
    else setImmediate(answer, null, address, 4);
  } else Reflect.apply(lookup, dns, callback === undefined ? [name, answer] : [name, options, callback]);
};
dns.lookup = Object.assign(patched, { __promisify__: lookup.__promisify__ });
