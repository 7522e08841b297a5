/** `pawline token`: made and shown once, listed without their secrets, taken back; and the daemon hears of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { readTokens } from "../../src/tokens/file.ts";
import { tokenOf } from "../../src/tokens/token.ts";
import { freePort } from "../e2e/support/network.ts";
import { eventually } from "../e2e/support/waiting.ts";
import { ask } from "../support/http.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { runInLab } from "./in-process.ts";
import { type Lab, openLab } from "./lab.ts";

vi.setConfig({ testTimeout: 60_000 });

async function openLabWith(live?: object): Promise<Lab & { data: string }> {
  const lab = await openLab(onTestFinished);
  lab.configure(live === undefined ? {} : { live });
  return { ...lab, data: join(lab.folder, "data") };
}

const create = (lab: Lab, ...more: readonly string[]) => runInLab(lab, ["token", "create", "--name", ...more]);

test("a token is printed by itself, and explained beside it", async () => {
  const lab = await openLabWith({});
  const { code, stdout, stderr } = await create(lab, "tablet");
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^pawline_[\w-]{43}\n$/)]);
  expect(stderr).toBe("This is the token tablet. It is shown this once: keep it where its program can read it.\n");
  const tokens = readTokens(lab.data);
  expect(tokenOf(stdout.trim(), tokens)).toMatchObject({ name: "tablet", scopes: ["read"] });
  expect(readFileSync(join(lab.data, "tokens.json"), "utf8")).not.toContain(stdout.trim());
});

test("without a live API it says what is missing", async () => {
  const { stderr } = await create(await openLabWith(), "tablet");
  expect(stderr).toMatch(/\nThere is no live API yet: add “live: \{\}” to the configuration\.\n$/);
});

test("what it may do, for which devices, as JSON", async () => {
  const lab = await openLabWith({});
  const wish = ["script", "--scope", "control", "--device", "pettracer_14758", "--device", "pettracer_hs_10775"];
  const made = JSON.parse((await create(lab, ...wish, "--json")).stdout) as { token: string };
  expect(made).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}$/),
    name: "script",
    scopes: ["read", "control"],
    devices: ["pettracer_14758", "pettracer_hs_10775"],
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\+00:00$/),
    token: expect.stringMatching(/^pawline_/),
  });
  await create(lab, "other");
  const { token, ...script } = made;
  const listed = await runInLab(lab, ["token", "list", "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { ...script, last_used_at: null },
    { name: "other", scopes: ["read"], devices: null },
  ]);
  const table = await runInLab(lab, ["token", "list"]);
  expect(table.stdout.split("\n").map((line) => line.split(/ {2,}/).slice(1, 4))).toEqual([
    ["NAME", "SCOPES", "DEVICES"],
    ["script", "read, control", "pettracer_14758, pettracer_hs_10775"],
    ["other", "read", "all"],
    [],
  ]);
  expect(listed.stdout + table.stdout).not.toContain(token);
  expect(table.stdout).not.toMatch(/[0-9a-f]{64}/);
});

test("pets by name and number, once the daemon has seen them", async () => {
  const lab = await openLabWith({});
  const daemon = lab.start("run");
  await daemon.output(/live, 2 collars/, PATIENCE_MS);
  daemon.signal("SIGTERM");
  await daemon.ended(PATIENCE_MS);
  const made = await create(lab, "cats", "--device", "oreo", "--device", "14759", "--json");
  expect(JSON.parse(made.stdout)).toMatchObject({ devices: ["pettracer_14758", "pettracer_14759"] });
  const { code, stderr } = await create(lab, "dog", "--device", "Rex");
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^--device: there is no device Rex; Pawline has seen .*pettracer_14758 \(Oreo\)/),
  ]);
});

test.each([
  [["create"], /required option '--name <name>' not specified/],
  [["create", "--name", ""], /^--name: must have 1 to 64 characters/],
  [["create", "--name", "a\u0007"], /^--name: must have 1 to 64 characters/],
  [["create", "--name", "x".repeat(65)], /^--name: must have 1 to 64 characters/],
  [["create", "--name", "a", "--scope", "write"], /Allowed choices are read, control/],
  [["create", "--name", "a", "--device", "Oreo"], /^--device: there is no device Oreo; .*name it by its id/],
  [["create", "--name", "Taken"], /^--name: there is a token Taken already/],
  [["revoke"], /missing required argument 'token'/],
  [["revoke", "nobody"], /^there is no token nobody; there are taken \([0-9a-f]{8}\)/],
  [[], /Usage: pawline token/],
] as const)("token %j is wrong usage", async (args, sentence) => {
  const lab = await openLabWith({});
  await create(lab, "taken");
  const { code, stdout, stderr } = await runInLab(lab, ["token", ...args]);
  expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(sentence)]);
  expect(readTokens(lab.data)).toHaveLength(1);
});

test("a token is taken back by its name or its id, and the last one is told of", async () => {
  const lab = await openLabWith({});
  for (const name of ["one", "two"]) await create(lab, name);
  const [one, two] = readTokens(lab.data);
  const first = await runInLab(lab, ["token", "revoke", "ONE"]);
  expect([first.code, first.stdout, first.stderr]).toEqual([
    0,
    "",
    "The token one is revoked: whoever uses it is put out within two seconds.\n",
  ]);
  expect(readTokens(lab.data)).toEqual([two]);
  const last = await runInLab(lab, ["token", "revoke", two?.id ?? ""]);
  expect(last.stderr).toMatch(
    /It was the last one: whoever sits at this computer can use the live API without a token/,
  );
  expect(one?.name).toBe("one");
  const none = await runInLab(lab, ["token", "list"]);
  expect([none.code, none.stdout, none.stderr]).toEqual([0, "", "There are no tokens.\n"]);
});

test("a file that is damaged is an error that names the remedy", async () => {
  const lab = await openLabWith({});
  await create(lab, "tablet");
  const file = join(lab.data, "tokens.json");
  writeFileSync(file, "{");
  for (const args of [["list"], ["revoke", "tablet"], ["create", "--name", "x"]]) {
    const { code, stderr } = await runInLab(lab, ["token", ...args]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/tokens\.json is damaged: delete it, and make new tokens/),
    ]);
  }
});

test("a daemon off this computer refuses to serve, until the command line has made a token", async () => {
  const port = await freePort();
  const lab = await openLabWith({ host: "0.0.0.0", port });
  const checked = await lab.run(["check"]);
  expect([checked.code, checked.stdout]).toEqual([
    3,
    expect.stringMatching(/✗ Live page: live\.host 0\.0\.0\.0 can be reached by others, .*pawline token create/),
  ]);
  const daemon = lab.start("run");
  await daemon.output(/live\.host 0\.0\.0\.0 can be reached by others/, PATIENCE_MS);
  const { stdout } = await create(lab, "tablet");
  const headers = { authorization: `Bearer ${stdout.trim()}` };
  const url = `http://127.0.0.1:${port}/api/devices`;
  await eventually(PATIENCE_MS, "the API", async () => (await ask(url, { headers })).status === 200 || undefined);
  expect((await ask(url)).status).toBe(401);
  await runInLab(lab, ["token", "revoke", "tablet"]);
  await eventually(
    PATIENCE_MS,
    "the end of the token",
    async () => (await ask(url, { headers })).status === 401 || undefined,
  );
});
