/** The Dockerfile and what is beside it: by a linter, and for what an image of ours has to be. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { environmentName, LEAVES } from "../../src/config/leaves.ts";
import { ROOT, read } from "../docs/markdown.ts";

interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

const dockerfile = read("Dockerfile");

/** One for each instruction, lines that go on put together. */
function instructionsOf(text: string): Instruction[] {
  const lines = text
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const [, keyword = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return { keyword, text: rest };
  });
}

const instructions = instructionsOf(dockerfile);

function all(keyword: string): string[] {
  return instructions.filter((one) => one.keyword === keyword).map(({ text }) => text);
}

test("the linter has nothing against it, and would find something", () => {
  expect(validate(dockerfile)).toEqual([]);
  expect(validate(dockerfile.replace("WORKDIR /\n", "WORKDR /\n"))).not.toEqual([]);
  expect(validate(`${dockerfile}HEALTHCHECK --intervall=30s CMD true\n`)).not.toEqual([]);
});

test("every instruction is understood by these tests", () => {
  const known = ["ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "VOLUME"];
  expect(instructions.filter(({ keyword }) => ![...known, "WORKDIR"].includes(keyword))).toEqual([]);
});

test("it is built once, on the builder's own processor, for both of Home Assistant's", () => {
  const from = all("FROM");
  expect(from[0]).toMatch(/^--platform=\$BUILDPLATFORM node:24-alpine AS build$/);
  expect(from[1]).toMatch(/^alpine:\d+\.\d+ AS base$/);
  expect(from.slice(2)).toEqual(["base AS image-amd64", "base AS image-arm64", `image-${"$"}{TARGETARCH}`]);
  expect(all("LABEL").slice(0, 2)).toEqual(['io.hass.arch="amd64"', 'io.hass.arch="aarch64"']);
});

test("it takes Node.js 24 from Alpine, and nothing of npm into the image", () => {
  const later = instructions.slice(instructions.findIndex(({ text }) => text.startsWith("alpine:")));
  expect(later.some(({ text }) => text.includes('apk add --no-cache "nodejs=~24"'))).toBe(true);
  expect(later.filter(({ text }) => /\bnpm\b|node_modules/.test(text))).toEqual([]);
});

test("its labels are Home Assistant's and OCI's", () => {
  const labels = all("LABEL").join(" ");
  for (const label of ['io.hass.type="app"', `io.hass.version="${"$"}{BUILD_VERSION}"`])
    expect(labels).toContain(label);
  for (const label of ["title", "description", "url", "source", "licenses", "version", "revision"])
    expect(labels).toContain(`org.opencontainers.image.${label}=`);
});

test("what it copies from the repository is there, and not kept out of the build", () => {
  const copied = all("COPY")
    .filter((text) => !text.startsWith("--from"))
    .flatMap((text) => text.split(" ").slice(0, -1));
  expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const kept = read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  expect(copied.filter((path) => !kept.some((one) => path === one || path.startsWith(`${one}/`)))).toEqual([]);
});

test("its entry, health check and folder are those that the tests of the image try", () => {
  expect(all("ENTRYPOINT")).toEqual(['["node", "/opt/pawline/start.mjs"]']);
  expect(all("CMD")).toEqual(['["run"]']);
  expect(all("HEALTHCHECK")).toEqual([
    '--interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["/bin/sh", "/opt/pawline/healthcheck.sh"]',
  ]);
  expect(all("VOLUME")).toEqual(["/data"]);
  const layer = read("tools/image/lay.sh");
  for (const file of ["start.mjs", "healthcheck.sh", "bundle.mjs"]) expect(layer).toContain(file);
});

test("the user in it is the one that start.mjs becomes", () => {
  const own = /OWN_ID = (\d+)/.exec(read("tools/image/start.mjs"))?.[1] ?? "";
  expect(all("RUN").join(" ")).toContain(`adduser -S -D -H -u ${own} `);
});

test("the app's profile names every path of the image", () => {
  const profile = read("addon/apparmor.txt");
  for (const path of ["/opt/pawline/{,**} r", "/opt/pawline/healthcheck.sh rix", "/usr/bin/node mrix", "/data/** rw"])
    expect(profile).toMatch(new RegExp(`^ {2}${path.replace(/[{}*,/.]/g, "\\$&")},$`, "m"));
  expect(profile).toMatch(/^profile pawline flags=\(attach_disconnected,mediate_deleted\) \{$/m);
  // What starting as root and giving that up takes, and no more.
  const capabilities = [...profile.matchAll(/^ {2}capability (\w+),$/gm)].map(([, name]) => name);
  expect(capabilities).toEqual(["chown", "dac_override", "setgid", "setuid"]);
  expect(profile).not.toMatch(/^ {2}(?:file|network|capability|mount|ptrace)[ ,]*,$/m);
});

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly [key: string]: unknown;
}

const compose = parse(read("config/compose.yaml")) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

test("compose.yaml names only variables that there are, and hands secrets over as files", () => {
  const { environment = {} } = compose.services.pawline ?? { image: "" };
  const names = Object.keys(environment).filter((name) => name.startsWith("PAWLINE_"));
  const known = LEAVES.map(({ path }) => environmentName(path));
  expect(names.filter((name) => !known.includes(name.replace(/_FILE$/, "")))).toEqual([]);
  const secret = LEAVES.filter((leaf) => leaf.secret).map(({ path }) => environmentName(path));
  expect(names.filter((name) => secret.includes(name))).toEqual([]);
  for (const [name, file] of Object.entries(environment).filter(([key]) => key.endsWith("_FILE")))
    expect([name, Object.keys(compose.secrets)]).toEqual([name, expect.arrayContaining([file.split("/").at(-1)])]);
});

test("compose.yaml hangs together, and Pawline runs with few rights", () => {
  const { pawline, mosquitto } = compose.services;
  expect(pawline?.image).toBe(`${String((parse(read("addon/config.yaml")) as Service).image)}:latest`);
  expect(pawline).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    cap_add: ["CHOWN", "DAC_OVERRIDE", "SETUID", "SETGID"],
    security_opt: ["no-new-privileges:true"],
    depends_on: { mosquitto: { condition: "service_healthy" } },
  });
  expect(mosquitto?.healthcheck).toBeDefined();
  const named = Object.values(compose.services).flatMap(({ secrets = [] }) => secrets);
  expect(new Set(named)).toEqual(new Set(Object.keys(compose.secrets)));
  const volumes = Object.values(compose.services).flatMap((service) => service.volumes ?? []);
  const [files, own] = [volumes.filter((one) => one.startsWith(".")), volumes.filter((one) => /^[a-z]/.test(one))];
  expect(files.map((one) => one.split(":")[0] ?? "").filter((path) => !existsSync(join(ROOT, "config", path)))).toEqual(
    [],
  );
  expect(own.map((one) => one.split(":")[0])).toEqual(Object.keys(compose.volumes));
});

test("the broker of compose.yaml lets nobody in without a password", () => {
  const lines = readFileSync(join(ROOT, "config/mosquitto/mosquitto.conf"), "utf8").split("\n");
  expect(lines).toEqual(expect.arrayContaining(["listener 1883", "allow_anonymous false", "persistence true"]));
});
