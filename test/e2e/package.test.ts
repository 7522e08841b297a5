/** The npm package: what is in it, and that it works in an empty folder on each version of Node.js that it names. */
import { globSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { projectFolder } from "./support/artifacts.ts";
import { StartedProcess, temporaryFolder } from "./support/processes.ts";
import { within } from "./support/waiting.ts";

/** The oldest one of its line that the package promises to work on, and the newest of the others. */
const VERSIONS = ["22.13.0", "24", "26"];
const START_MS = 60_000;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Node.js and npm of the machine's own, with a cache that earlier runs have not touched. */
const cache = temporaryFolder("npm-cache");
const env = { ...process.env, npm_config_cache: cache, npm_config_yes: "true", NO_COLOR: "1" };

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const program = new StartedProcess("npm", [...args, "--loglevel=error", "--no-audit", "--no-fund"], { cwd, env });
  if ((await program.ended) !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${program.lastLines()}`);
  return program.output();
}

let packed: Packed;
let tarball: string;

beforeAll(async () => {
  const folder = temporaryFolder("package");
  // It is built: what would be built again here might hide what is left from an earlier build.
  const output = await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], projectFolder);
  [packed] = JSON.parse(output) as [Packed];
  tarball = join(folder, packed.filename);
});

test("it holds the program, the example and the documents, and nothing else", () => {
  const program = globSync("**/*.ts", { cwd: join(projectFolder, "src") })
    .filter((file) => !file.startsWith("page/"))
    .map((file) => `dist/${file.replace(/\.ts$/, ".js")}`);
  const others = ["CHANGELOG.md", "LICENSE", "README.md", "config/pawline.example.yaml", "package.json"];
  const [page, rest] = [true, false].map((isPage) =>
    packed.files.map(({ path }) => path).filter((path) => path.startsWith("dist/page/") === isPage),
  );
  expect(rest?.toSorted()).toEqual([...program, ...others].toSorted());
  const names = page?.map((path) => path.replace(/^dist\/page\//, "").replace(/-[\w-]{8}\./, "-HASH."));
  const packable = ["assets/index-HASH.css", "assets/index-HASH.js", "icon.svg"];
  const forms = packable.flatMap((name) => [name, `${name}.br`, `${name}.gz`]);
  expect(names?.toSorted()).toEqual(["LICENSES.txt", "index.html", ...forms].toSorted());
});

test("no file of it leads to a map of the source", () => {
  for (const { path } of packed.files.filter((file) => file.path.endsWith(".js")))
    expect(readFileSync(join(projectFolder, path), "utf8")).not.toContain("sourceMappingURL");
});

/** The folder of a Node.js of this version, from the registry, as development has its own. */
async function fetchNode(version: string): Promise<string> {
  const folder = temporaryFolder(`node-${version}`);
  const name = `node-linux-${process.arch}`;
  await npm(["install", "--ignore-scripts", "--prefix", folder, `${name}@${version}`], folder);
  return join(folder, "node_modules", name, "bin");
}

describe.runIf(process.platform === "linux").each(VERSIONS)("on Node.js %s", (version) => {
  let bin: string;
  let folder: string;
  /** With that Node.js before every other one. */
  const withNode = (): NodeJS.ProcessEnv => ({ ...env, PATH: [bin, process.env.PATH].join(delimiter) });

  beforeAll(async () => {
    bin = await fetchNode(version);
    folder = temporaryFolder(`empty-${version}`);
  });

  function start(command: string, args: readonly string[]): StartedProcess {
    const program = new StartedProcess(command, args, { cwd: folder, env: withNode() });
    onTestFinished(async () => void (await program.kill()));
    return program;
  }

  test("npx brings the demo's cats, with nothing but the package", async () => {
    const said = start("npx", ["--package", tarball, "--", "node", "--version"]);
    expect(await said.ended).toBe(0);
    expect(said.output()).toMatch(new RegExp(`^v${version}`, "m"));
    // npx passes no signal on: the demo ends because nobody reads it any more.
    const demo = start("sh", ["-c", 'npx --package "$0" -- pawline demo --port 0 | grep -m1 "Mochi: 51"', tarball]);
    expect(await within(START_MS, demo.ended, () => demo.lastLines())).toBe(0);
    expect(demo.output()).toMatch(/^\S+ {2}Mochi: 51\.\d+, .*$/m);
    expect(demo.output()).not.toMatch(/[Ww]arning/);
  });

  test("installed, it starts without npx, and ends when it is told to", async () => {
    const installed = temporaryFolder(`installed-${version}`);
    await npm(["install", "--ignore-scripts", "--prefix", installed, tarball], installed);
    const main = join(installed, "node_modules/pawline/dist/main.js");
    const demo = start(join(bin, "node"), [main, "demo", "--port", "0"]);
    await demo.waitForOutput(/Mochi: 51\./, START_MS);
    expect(await demo.stop("SIGTERM", 5_000)).toBe(0);
    expect(demo.output()).not.toMatch(/[Ww]arning/);
    const check = start(join(dirname(main), "../../.bin/pawline"), ["check"]);
    expect(await check.ended).toBe(2);
    expect(check.output()).toMatch(/pettracer\.username: missing/);
  });
});
