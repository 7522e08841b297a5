/** Tokens: what is kept of them, how they are found again, and that the daemon knows of each change. */
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { changeTokens, readTokens, tokenFileIn } from "../../src/tokens/file.ts";
import { createTokenKeeper, readUses } from "../../src/tokens/keeper.ts";
import { makeToken, tokenOf } from "../../src/tokens/token.ts";
import { memoryStream } from "../support/stream.ts";
import { temporaryFolder } from "../support/temp.ts";
import { giveToken, takeToken } from "../support/tokens.ts";
import { until } from "../support/until.ts";

async function keeperOf(folder: string) {
  const output = memoryStream();
  const log = await createLog({ level: "trace", format: "json", scrubber: createScrubber(), output });
  const data = openDataDir(folder, log);
  return { keeper: createTokenKeeper(folder, data, log), data, log: () => output.text() };
}

test("a token is 256 random bits, of which a hash is kept", () => {
  const made = Array.from({ length: 50 }, () => makeToken({ name: "a", scopes: ["read"] }, 5));
  for (const { secret, token } of made) {
    expect(secret).toMatch(/^pawline_[\w-]{43}$/);
    expect(token).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
      name: "a",
      scopes: ["read"],
      createdAt: 5,
      hash: token.hash,
    });
    expect(token.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(token)).not.toContain(secret.slice(8, 20));
  }
  expect(new Set(made.map(({ secret }) => secret)).size).toBe(50);
});

test("who may send commands may look, too", () => {
  expect(makeToken({ name: "a", scopes: ["control"] }, 0).token.scopes).toEqual(["read", "control"]);
  expect(makeToken({ name: "a", scopes: ["read", "read"] }, 0).token.scopes).toEqual(["read"]);
});

test("of any tokens each is found by its own text, and by no other", () => {
  const made = Array.from({ length: 20 }, (_, index) => makeToken({ name: String(index), scopes: ["read"] }, 0));
  const tokens = made.map(({ token }) => token);
  for (const { secret, token } of made) expect(tokenOf(secret, tokens)).toBe(token);
  const near = fc.tuple(fc.constantFrom(...made), fc.nat(50), fc.string({ minLength: 1, maxLength: 1 }));
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), near), (drawn) => {
      const text = typeof drawn === "string" ? drawn : replaced(drawn[0].secret, drawn[1], drawn[2]);
      const own = made.find(({ secret }) => secret === text);
      expect(tokenOf(text, tokens)).toBe(own?.token);
    }),
  );
});

function replaced(text: string, at: number, sign: string): string {
  return text.slice(0, at) + sign + text.slice(at + 1);
}

test("the file is its owner's alone, and holds no token", async () => {
  const { path } = temporaryFolder(onTestFinished);
  const { secret } = await giveToken(path);
  const file = tokenFileIn(path);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).not.toContain(secret);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test("changes at the same time are all kept", async () => {
  const { path } = temporaryFolder(onTestFinished);
  await Promise.all(Array.from({ length: 10 }, (_, index) => giveToken(path, { name: String(index) })));
  expect(
    readTokens(path)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual("0123456789".split(""));
});

test("a lock that its owner has left behind is no lock for ever", async () => {
  const folder = temporaryFolder(onTestFinished);
  const lock = folder.write("tokens.json.lock", "");
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, longAgo, longAgo);
  await giveToken(folder.path);
  expect(readTokens(folder.path)).toHaveLength(1);
});

test.each(["{", "[]x", '[{"id":"a"}]', '[{"id":"a","name":"a","hash":"12","scopes":[],"createdAt":1}]', "null"])(
  "a file with %j is an error with the remedy, and lets nobody in",
  async (text) => {
    const folder = temporaryFolder(onTestFinished);
    folder.write("tokens.json", text);
    expect(() => readTokens(folder.path)).toThrow(/tokens\.json is damaged: delete it, and make new tokens/);
    await expect(giveToken(folder.path)).rejects.toThrow(/is damaged/);
    const { keeper, log } = await keeperOf(folder.path);
    expect([keeper.isEmpty(), keeper.current()]).toEqual([false, []]);
    expect([keeper.isEmpty(), log().match(/is damaged/g)?.length]).toEqual([false, 1]);
  },
);

test("a folder that cannot be written to is an error that names it", async () => {
  const folder = temporaryFolder(onTestFinished);
  const file = folder.write("file", "");
  await expect(changeTokens(join(file, "data"), (tokens) => [tokens, 0])).rejects.toThrow(
    /^data_dir: .* cannot be written to/,
  );
});

test("the daemon knows each token from the moment that it was made, until the moment that it is revoked", async () => {
  const { path } = temporaryFolder(onTestFinished);
  const { keeper } = await keeperOf(path);
  expect(keeper.isEmpty()).toBe(true);
  const { secret, token } = await giveToken(path);
  expect([keeper.isEmpty(), keeper.find(secret)?.id]).toEqual([false, token.id]);
  const other = await giveToken(path, { name: "other" });
  await takeToken(path, token);
  expect([keeper.find(secret), keeper.find(other.secret)?.id]).toEqual([undefined, other.token.id]);
  await takeToken(path, other.token);
  expect(keeper.isEmpty()).toBe(true);
});

test("whoever watches is told of each change, and of nothing else", async () => {
  const folder = temporaryFolder(onTestFinished);
  const { keeper } = await keeperOf(folder.path);
  const stop = new AbortController();
  let changes = 0;
  const watching = keeper.watch(() => {
    changes += 1;
  }, stop.signal);
  folder.write("devices.json", "{}");
  const { token } = await giveToken(folder.path);
  await until(() => changes === 1, "the first change");
  await takeToken(folder.path, token);
  await until(() => changes === 2, "the second change");
  stop.abort();
  await watching;
});

test("when a token was used is kept to the hour, apart from the tokens, and goes with them", async () => {
  const { path } = temporaryFolder(onTestFinished);
  const { keeper, data } = await keeperOf(path);
  const [one, other] = [await giveToken(path, { name: "one" }), await giveToken(path, { name: "other" })];
  keeper.current();
  keeper.use(one.token);
  const { [one.token.id]: usedAt = 0 } = readUses(data);
  expect(Date.now() - usedAt).toBeLessThan(60_000);
  writeFileSync(join(path, "token-uses.json"), "{}");
  keeper.use(one.token);
  // Within the hour it is not written again.
  expect(readUses(data)).toEqual({});
  await takeToken(path, one.token);
  keeper.current();
  keeper.use(other.token);
  expect(Object.keys(readUses(data))).toEqual([other.token.id]);
});
