/** The OpenAPI document: valid, true to what is served, and good enough to make a client of it that works. */
import { execFile } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { generateSource } from "oazapfts";
import { describe, expect, test, vi } from "vitest";
import { openApiDocument } from "../../src/publishers/live/api/openapi.ts";
import { ERROR_CODES } from "../../src/publishers/live/api/schema.ts";
import { OREO_ID, openApi } from "../support/api.ts";
import { stationAndOreo } from "../support/house.ts";
import { temporaryFolder } from "../support/temp.ts";
import { giveToken } from "../support/tokens.ts";
import { endpointsOf } from "./endpoints.ts";
import { ROOT, read } from "./markdown.ts";

vi.setConfig({ testTimeout: 120_000 });

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, object>>;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

const document = openApiDocument("1.2.3") as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

describe("the document", () => {
  test("is valid", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect([valid, errors ?? []]).toEqual([true, []]);
    expect(validator.version).toBe("3.1");
    // The validator finds what is wrong.
    const spoilt = { ...structuredClone(document), paths: { "/x": { get: { responses: 5 } } } };
    expect((await validator.validate(spoilt)).valid).toBe(false);
  });

  test("tells of everything that is served, and of nothing else", () => {
    const told = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = endpointsOf()
      .map(({ method, path }) => `${method} ${path}`)
      // The page's own, and the documents themselves.
      .filter((one) => /\/api\/(?!status|\w+\.json)|z$|metrics/.test(one));
    expect(told.toSorted()).toEqual(served.toSorted());
  });

  test("refers only to what there is, and holds nothing that nobody refers to", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(new Set(references.map(([, name]) => name))).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  test("has a name for each operation, and each parameter of its path", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { path, parameters = [], responses } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(named);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(["401", "403", "429", "500"]));
    }
  });
});

test("docs/api.md tells of every path, every code and every status", () => {
  const text = read("docs/api.md");
  const missing = [
    ...Object.keys(document.paths).filter((path) => path.startsWith("/api/")),
    ...ERROR_CODES.map((code) => `\`${code}\``),
    ...STATUSES,
  ].filter((word) => !text.includes(word));
  expect(missing).toEqual([]);
});

const STATUSES = "400 401 403 404 405 408 409 413 415 417 422 429 431 500 502 503".split(" ");

/** Written against the generated client: it compiles only as long as the document has the right types. */
const PROGRAM = `
import * as client from "./client.ts";

const [, , baseUrl = "", token = ""] = process.argv;
client.defaults.baseUrl = baseUrl;
client.defaults.headers = { authorization: \`Bearer \${token}\` };

const listed = await client.listDevices({ kind: "collar" });
if (listed.status !== 200) throw new Error(\`devices: \${listed.status}\`);
const [cat] = listed.data.devices;
if (cat === undefined) throw new Error("there is no cat");
const latitude: number | undefined = cat.position?.latitude;
const sent = await client.sendCommand(cat.id, { command: "light", value: true }, { prefer: "wait=30" });
if (sent.status !== 200) throw new Error(\`command: \${sent.status}\`);
const after = await client.getDevice(cat.id);
if (after.status !== 200) throw new Error(\`device: \${after.status}\`);
const refused = await client.sendCommand(cat.id, { command: "mode", value: "Turbo" });
if (refused.status !== 422) throw new Error(\`refusal: \${refused.status}\`);
const events = await client.listEvents({ after: 0, limit: 5 });
if (events.status !== 200) throw new Error(\`events: \${events.status}\`);
console.log(JSON.stringify({
  id: cat.id, latitude, status: sent.data.status, light: after.data.state.light, code: refused.data.code,
  last: events.data.last,
}));
`;

test("a client made of the document that is served reads devices and sends a command", async (context) => {
  const api = await openApi(context, {
    cloud: { pollScale: 0.001 },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.push(14758, { led: false, buz: false, mode: 2, modeSet: 2 });
    },
  });
  const { secret } = await giveToken(api.house.dataDir, { name: "client", scopes: ["control"] });
  const folder = temporaryFolder(context.onTestFinished);
  folder.write("openapi.json", (await api.ask("openapi.json")).body);
  folder.write("client.ts", await generateSource(join(folder.path, "openapi.json")));
  folder.write("program.ts", PROGRAM);
  folder.write("package.json", '{"type":"module"}');
  folder.write("tsconfig.json", JSON.stringify(TSCONFIG));
  symlinkSync(join(ROOT, "node_modules"), join(folder.path, "node_modules"));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: folder.path });
  await run(join(ROOT, "node_modules/typescript/bin/tsc"), "-p", ".");
  const { stdout } = await run("program.ts", api.url, secret);
  expect(JSON.parse(stdout)).toEqual({
    id: OREO_ID,
    latitude: 51.4010701,
    status: "done",
    light: true,
    code: "command_refused",
    last: 0,
  });
});

const TSCONFIG = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "dom"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  files: ["program.ts"],
};
