/** Every command in the documents is one: a shell can read it, and the program takes its options. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { commandBody } from "../../src/publishers/live/api/schema.ts";
import { createMatcher } from "../../src/publishers/live/http/endpoint.ts";
import { runHere } from "../commands/in-process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { endpointsOf } from "./endpoints.ts";
import { codeBlock, DOCUMENTS, ROOT, read } from "./markdown.ts";
import { commandsOf, scriptsIn, spokenCommands, type Words } from "./shell.ts";

const about = parse(read("package.json")) as { name: string; bin: object; scripts: Record<string, string> };
const { image } = parse(read("addon/config.yaml")) as { image: string };
const { services } = parse(read("config/compose.yaml")) as { services: object };

/** Programs of others that are only named: their options are theirs. */
const OTHERS = ["mosquitto_pub", "mosquitto_sub", "ssh", "useradd", "chgrp", "chmod", "rm", "journalctl", "node"];
const SYSTEMCTL = ["daemon-reload", "enable", "disable", "reload", "restart"];
const DOCKER = ["run", "exec", "logs", "pull", "rm", "stop", "kill", "volume", "image"];

let cwd: string;
beforeAll(() => {
  cwd = temporaryFolder((end) => void process.once("exit", () => void end())).path;
});

const SCRIPTS = DOCUMENTS.flatMap((file) => {
  const text = read(file);
  return [...scriptsIn(text), ...spokenCommands(text)].map((script) => ({ file, script }));
});

test.each(SCRIPTS)("$file: $script", async ({ script }) => {
  const commands = commandsOf(script, cwd);
  expect(commands).not.toEqual([]);
  for (const words of commands) expect(await complaint(words), words.join(" ")).toBeUndefined();
});

test.each([
  ["pawline check --comands Mochi", /unknown option '--comands'/],
  ["pawline tarck Mochi", /tarck/],
  ["pawline track", /missing required argument/],
  ["npm run biuld", /no script/],
  ["npm start -- chekc", /chekc/],
  ["docker run -d ghcr.io/pawline/pawlin", /another image/],
  ["docker run -e PAWLINE_MQTT_URL=nowhere ghcr.io/pawline/pawline", /mqtt\.url/],
  ["docker exec pawline node /opt/pawline/start.mjs chekc", /chekc/],
  ["systemctl relaod pawline", /relaod/],
  ["curl -s http://127.0.0.1:8099/api/cats", /nothing answers that/],
  ["curl -d '{}' http://127.0.0.1:8099/api/devices/a/commands", /no command/],
  ["frobnicate", /nobody knows/],
])("%s would be found", async (script, expected) => {
  const [words = []] = commandsOf(script, cwd);
  expect(await complaint(words)).toMatch(expected);
});

test("what a shell cannot read, and what would be run, would be found", () => {
  expect(() => commandsOf("echo 'a", cwd)).toThrow("cannot read");
  expect(() => commandsOf("true; /bin/true", cwd)).toThrow("would be run");
});

test("the unit for systemd starts what the package starts, in the folder that the text says", () => {
  const document = read("docs/installation.md");
  const unit = codeBlock(document, "ini");
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? "";
  expect(unit.match(/^\[.*\]$/gm)).toEqual(["[Unit]", "[Service]", "[Install]"]);
  expect(unit.split("\n").filter((line) => line !== "" && !/^(?:\[[A-Z]\w+\]|[A-Z]\w+=\S.*)$/.test(line))).toEqual([]);
  expect(Object.values(about.bin)).toContain(value("ExecStart").split(" ")[1]);
  expect(document).toContain(`Pawline's folder at \`${value("WorkingDirectory")}\``);
  expect(document).toContain(`useradd --system --no-create-home ${value("User")}`);
  expect(value("ExecReload")).toContain("-HUP");
});

/** What is wrong with a command; undefined for a right one. */
async function complaint([name = "", ...args]: Words): Promise<string | undefined> {
  if (/^PAWLINE_\w+=/.test(name)) return await complaint(args);
  if (name === "pawline") return await refusal(args);
  if (name === "npx") return args[0] === about.name ? await refusal(args.slice(1)) : `${args[0]} is not ours`;
  if (name === "npm") return await npmComplaint(args);
  if (name === "docker") return await dockerComplaint(args);
  if (name === "systemctl") return SYSTEMCTL.includes(args[0] ?? "") ? undefined : `systemctl has no ${args[0]}`;
  if (name === "curl") return curlComplaint(args);
  if (name === "cp") return existsSync(join(ROOT, args[0] ?? "")) ? undefined : `there is no ${args[0]}`;
  return OTHERS.includes(name) ? undefined : `nobody knows ${name}`;
}

/** What Pawline has to say to a request of these words: nothing but of its path, its method and its body. */
function curlComplaint(args: readonly string[]): string | undefined {
  const url = args.find((word) => word.startsWith("http://")) ?? "";
  if (!URL.canParse(url)) return "curl has no address";
  const body = args.includes("-d") ? args[args.indexOf("-d") + 1] : undefined;
  const { pathname } = new URL(url);
  const there = createMatcher(endpointsOf())(pathname)?.endpoints.map(({ method }) => method) ?? [];
  if (!there.includes(body === undefined ? "GET" : "POST")) return `nothing answers that at ${pathname}`;
  return body === undefined || commandBody.safeParse(JSON.parse(body)).success ? undefined : `${body} is no command`;
}

/** What the command line says to these words: with a configuration that is not there, it gets no further. */
async function refusal(args: readonly string[]): Promise<string | undefined> {
  const isDemo = args[0] === "demo";
  const words = isDemo ? [...args, "--port", "0"] : [...args, "--config", join(cwd, "missing.yaml")];
  const { stderr } = await runHere(named(words), { signal: AbortSignal.abort() });
  return /^error: /m.test(stderr) ? stderr : undefined;
}

/** With something in place of what the reader has to fill in. */
function named(words: readonly string[]): string[] {
  return words.map((word) => (/^[A-Z]+$/.test(word) ? (word === "LEVEL" ? "info" : "14701") : word));
}

async function npmComplaint(args: readonly string[]): Promise<string | undefined> {
  const [verb = "", ...rest] = args.filter((word) => word !== "--silent");
  const ours = rest.indexOf("--");
  if (verb === "install" || verb === "uninstall") {
    return rest.every((word) => word === "--global" || word.replace(/@latest$/, "") === about.name)
      ? undefined
      : "that installs something else";
  }
  if (verb === "start" && ours >= 0) return await refusal(rest.slice(ours + 1));
  if (verb === "audit") return undefined;
  const script = verb === "run" ? (rest[0] ?? "") : verb;
  return script in about.scripts ? undefined : `there is no script ${script}`;
}

/** Options of `docker run` that have no value behind them. */
const FLAGS = /^(?:-d|-it|--rm|--read-only)$/;

async function dockerComplaint([verb = "", ...args]: readonly string[]): Promise<string | undefined> {
  const entry = args.indexOf("/opt/pawline/start.mjs");
  if (entry >= 0) return await refusal(args.slice(entry + 1));
  if (verb === "compose") return composeComplaint(args);
  if (verb === "run") return await dockerRunComplaint(args);
  return DOCKER.includes(verb) ? undefined : `docker has no ${verb}`;
}

function composeComplaint(args: readonly string[]): string | undefined {
  const service = args.at(-1) ?? "";
  return service in services || service === "-d" ? undefined : `there is no service ${service}`;
}

async function dockerRunComplaint(args: readonly string[]): Promise<string | undefined> {
  let at = 0;
  const environment: Record<string, string> = {};
  while (args[at]?.startsWith("-")) {
    const [option = "", value = ""] = args.slice(at, at + 2);
    if (option === "-e") Object.assign(environment, Object.fromEntries([splitOnce(value)]));
    at += FLAGS.test(option) ? 1 : 2;
  }
  if (args[at] !== image) return `${args[at]} is another image`;
  const ours = Object.keys(environment).some((key) => key.startsWith("PAWLINE_"));
  return (ours ? configurationComplaint(environment) : undefined) ?? (await refusal(args.slice(at + 1)));
}

function splitOnce(assignment: string): [string, string] {
  const at = assignment.indexOf("=");
  return [assignment.slice(0, at), assignment.slice(at + 1)];
}

function configurationComplaint(environment: Record<string, string>): string | undefined {
  try {
    loadConfig({ file: undefined, environment, flags: {} });
    return undefined;
  } catch (error) {
    return String(error);
  }
}
