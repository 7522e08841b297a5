/**
 * Makes a new input of those in a corpus. Blind: what it finds it finds by beginning next to what matters, since the
 * corpus holds whatever has ever broken something, and by the protocol's own words.
 */

/** A whole number from 0, below this one. */
export type Random = (below: number) => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** An input grows no further by being repeated, bytes. */
const LARGEST = 64 * 1024;

/** What breaks programs, whatever they read. */
const TOKENS = [
  "\0",
  "\n",
  "\r\n",
  "\u001b[2J",
  "\u009b31m",
  "\u202e",
  "\ufeff",
  "\ud83d",
  "🐈",
  "../",
  "%s",
  "{{ 1 }}",
  "'\"",
  "0",
  "-1",
  "-0",
  "1e308",
  "1e999",
  "9007199254740993",
  "4294967296",
  "NaN",
  "null",
  "true",
  "[]",
  "{}",
  '""',
  '"__proto__":',
  '"constructor":',
  '"toString":',
  "__proto__",
  "[[[[[[[[",
  '{"a":{"a":{"a":',
];

export function mutate(corpus: readonly Buffer[], dictionary: readonly string[], random: Random): Buffer {
  const pick = <T>(from: readonly T[]): T | undefined => from[random(from.length)];
  let input: Buffer = Buffer.from(pick(corpus) ?? "");
  for (let left = 1 + random(5); left > 0; left -= 1) {
    const [at, to] = [random(input.length + 1), random(input.length + 1)];
    const [start, end] = at < to ? [at, to] : [to, at];
    const [before, middle, after] = [input.subarray(0, start), input.subarray(start, end), input.subarray(end)];
    switch (random(6)) {
      case 0:
        input = flipped(input, at, random);
        break;
      case 1:
        input = Buffer.concat([before, after]);
        break;
      case 2:
        input = Buffer.concat([before, ...Array.from({ length: 2 + random(40) }, () => middle), after]);
        break;
      case 3: {
        const other = pick(corpus) ?? input;
        input = Buffer.concat([before, other.subarray(random(other.length + 1))]);
        break;
      }
      default: {
        const token = Buffer.from(pick(random(2) === 0 ? TOKENS : [...dictionary, ...TOKENS]) ?? "");
        input = Buffer.concat([before, token, random(2) === 0 ? middle : Buffer.alloc(0), after]);
      }
    }
    input = input.subarray(0, LARGEST);
  }
  return input;
}

function flipped(input: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(input);
  if (at < copy.length) copy.writeUInt8(copy.readUInt8(at) ^ (1 << random(8)), at);
  return copy;
}
