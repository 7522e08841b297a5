/**
 * Every input of the program, fuzzed: all that the corpus holds, and some mutations of it, others each time. For longer:
 * `npm run fuzz -- --target stream --minutes 10`; `FUZZ_SEED` repeats a run that has failed.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { keepFinding, readCorpus } from "./corpus.ts";
import { mutate, seeded } from "./mutate.ts";
import { tryAll } from "./target.ts";
import { TARGETS } from "./targets/index.ts";

vi.setConfig({ testTimeout: 120_000 });

const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));

test("every folder of the corpus has a target, and every target a corpus", () => {
  const folders = readdirSync(join(import.meta.dirname, "corpus")).toSorted();
  expect(TARGETS.map(({ name }) => name).toSorted()).toEqual(folders);
  for (const { name } of TARGETS) expect(readCorpus(name).length, name).toBeGreaterThan(2);
});

test("a mutation is one by its seed, and none is like the other", () => {
  const corpus = [Buffer.from("one input"), Buffer.from("another input")];
  const some = (seed: number): string[] => {
    const random = seeded(seed);
    return Array.from({ length: 50 }, () => mutate(corpus, ["token"], random).toString("latin1"));
  };
  expect(some(1)).toEqual(some(1));
  expect(new Set([...some(1), ...some(2)]).size).toBeGreaterThan(80);
});

describe.each(TARGETS)("$name", (target) => {
  const corpus = readCorpus(target.name);

  test("what has ever broken something, and what it began with", async () => {
    const failures: string[] = [];
    for (const { name, bytes } of corpus) {
      await tryAll(target, [bytes], (_, error) => failures.push(`${name}: ${String(error)}`));
    }
    expect(failures).toEqual([]);
  });

  test(`mutations (FUZZ_SEED=${SEED})`, async () => {
    const random = seeded(SEED);
    const inputs = corpus.map(({ bytes }) => bytes);
    const failures: string[] = [];
    const some = Array.from({ length: target.runs }, () => mutate(inputs, target.dictionary, random));
    await tryAll(target, some, (input, error) => {
      const where = input === undefined ? "at the end" : keepFinding(target.name, input);
      failures.push(`FUZZ_SEED=${SEED}: ${where}: ${error instanceof Error ? error.stack : String(error)}`);
    });
    expect(failures.slice(0, 3)).toEqual([]);
  });
});
