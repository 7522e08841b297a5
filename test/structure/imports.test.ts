/** The import table of the architecture: who may know whom. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const SRC = join(ROOT, "src");

/** All that the program is made of, but the command line and the demo. */
const PROGRAM = [
  "control",
  "config",
  "lib",
  "model",
  "store",
  "track",
  "tokens",
  "entities",
  "sources",
  "publishers",
  "discovery",
];

/** Folders of `src` that each folder may import from, besides itself. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  lib: [],
  store: ["model", "lib"],
  entities: ["model"],
  discovery: ["model", "entities", "lib", "publishers"],
  sources: ["model", "lib"],
  tokens: ["lib"],
  publishers: ["model", "entities", "lib", "discovery", "tokens"],
  config: ["lib", "sources", "publishers"],
  demo: [],
  control: ["model", "lib", "sources", "publishers"],
  track: ["model", "lib", "sources"],
  daemon: PROGRAM,
  commands: [...PROGRAM, "demo", "daemon"],
  main: ["commands", "lib"],
  // What runs in the browser knows the shapes of the API, and how long to wait.
  page: ["model", "publishers", "lib"],
};

/** The one folder that each npm package is imported from; WebSockets are spoken by whoever has to. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@stomp/stompjs": "sources/pettracer",
  "home-assistant-js-websocket": "publishers/homeassistant",
  mqtt: "publishers/mqtt",
  pino: "lib",
  "pino-pretty": "lib",
  zod: "lib",
  yaml: "config",
  commander: "commands",
  aedes: "demo",
  leaflet: "page/map",
};

const SPEAKERS = ["sources/pettracer", "publishers/homeassistant", "publishers/live/socket"];

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: readonly Import[] = globSync("**/*.ts", { cwd: SRC }).flatMap((from) => {
  const text = readFileSync(join(SRC, from), "utf8");
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"\s,]+)"/g)].map((match) => match[1] ?? "");
  return names.map((name) => ({
    from,
    to: name.startsWith(".") ? relative(SRC, join(SRC, dirname(from), name)) : name,
  }));
});

const inner = imports.filter(({ to }) => to.endsWith(".ts"));
const packages = imports.filter(({ to }) => !to.endsWith(".ts") && !to.startsWith("node:") && !to.startsWith(".."));

function folderOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : file.replace(/\.ts$/, "");
}

test("the reader of imports finds them", () => {
  expect(inner).toContainEqual({ from: "daemon.ts", to: "store/store.ts" });
  expect(inner).toContainEqual({ from: "main.ts", to: "commands/program.ts" });
  expect(packages).toContainEqual({ from: "lib/log.ts", to: "pino" });
});

test("every folder imports only from those below it", () => {
  const wrong = inner.filter(({ from, to }) => {
    const [own, other] = [folderOf(from), folderOf(to)];
    return own !== other && !FOLDERS[own]?.includes(other);
  });
  expect(wrong).toEqual([]);
});

test("no source or publisher knows another one", () => {
  const part = (file: string): string | undefined => /^(?:sources|publishers)\/[^/]+\//.exec(file)?.[0];
  const wrong = inner.filter(
    ({ from, to }) => part(from) !== undefined && part(to) !== undefined && part(from) !== part(to),
  );
  expect(wrong).toEqual([]);
});

test("a part is reached through its folder's map or its options alone", () => {
  const wrong = inner.filter(({ from, to }) => {
    const isInside = /^(sources|publishers)\/[^/]+\//.test(to) && folderOf(from) !== folderOf(to);
    return isInside && !to.endsWith("/options.ts") && folderOf(from) !== "page";
  });
  expect(wrong).toEqual([]);
});

test("the page takes the API's types and the schedule of retries, and brings nothing else of the program to a browser", () => {
  const wrong = inner.filter(({ from, to }) => {
    if (folderOf(from) !== "page" || folderOf(to) === "page") return false;
    const line = readFileSync(join(SRC, from), "utf8")
      .split("\n")
      .find((one) => one.includes(`/${to}"`));
    const isType = line?.startsWith("import type ") === true;
    const isShape = to.startsWith("publishers/live/api/") || to.startsWith("model/");
    return to !== "lib/backoff.ts" && !(isType && isShape);
  });
  expect(wrong).toEqual([]);
  expect(inner.filter(({ from, to }) => folderOf(to) === "page" && folderOf(from) !== "page")).toEqual([]);
});

test("the simulated cloud is for the demo command alone", () => {
  const users = inner.filter(({ from, to }) => folderOf(to) === "demo" && folderOf(from) !== "demo");
  expect(new Set(users.map(({ from }) => from))).toEqual(new Set(["commands/demo.ts"]));
});

test("each npm package is imported from one folder; the simulated cloud has its own reading of WebSockets", () => {
  const wrong = packages.filter(({ from, to }) => {
    if (folderOf(from) === "demo") return to !== "aedes" && to !== "ws";
    if (to === "ws") return !SPEAKERS.includes(dirname(from));
    return dirname(from) !== PACKAGES[to];
  });
  expect(wrong).toEqual([]);
});

test("SQLite is loaded by the track store alone, and only when it is needed", () => {
  const users = globSync("**/*.ts", { cwd: SRC }).filter((file) =>
    readFileSync(join(SRC, file), "utf8").includes('"node:sqlite"'),
  );
  expect(users).toEqual(["track/database.ts"]);
  const text = readFileSync(join(SRC, "track/database.ts"), "utf8");
  expect(text).not.toMatch(/^import (?!type )[^;]*"node:sqlite"/m);
});

test("only main.ts touches the process", () => {
  const users = globSync("**/*.ts", { cwd: SRC }).filter((file) => {
    return /\bprocess\.(?!versions)/.test(
      readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""),
    );
  });
  expect(users).toEqual(["main.ts"]);
});

test("types are asserted in the decoder alone", () => {
  const users = globSync("**/*.ts", { cwd: SRC }).filter((file) => {
    const text = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*|"[^"\n]*"/g, "");
    return /(?<!import\s.*)\sas (?!const\b)[A-Za-z]/.test(text.replace(/^(?:import|export) .*$/gm, ""));
  });
  // The pages of help are nothing but text.
  expect(users.filter((file) => !file.endsWith("/decode.ts") && file !== "commands/help.ts")).toEqual([]);
});
