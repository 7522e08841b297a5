/** The documents' commands, as a shell understands them, and without running one. */
import { spawnSync } from "node:child_process";
import { codeBlocks } from "./markdown.ts";

/**
 * Without a PATH, Bash finds no program; what it then calls instead writes down the words of the command, and the
 * environment of ours that stands before it.
 */
const WITNESS = `
exec 3>&1 1>/dev/null
PATH=/nonexistent
command_not_found_handle() {
  local name
  for name in "\${!PAWLINE_@}"; do printf '%s=%s\\0' "$name" "\${!name}" >&3; done
  printf '%s\\0' "$@" >&3
  printf '\\n\\0' >&3
}
`;

/** The words of one command; those before it that set a variable of ours stand first. */
export type Words = readonly string[];

/** @throws Error where it is no text that a shell can read, or names a program by its place: that would be run */
export function commandsOf(script: string, cwd: string): Words[] {
  const checked = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
  if (checked.status !== 0) throw new Error(`Bash cannot read this: ${checked.stderr}`);
  if (/(?:^|[;&|(]\s*|sudo )\.{0,2}\//m.test(script)) throw new Error(`this would be run: ${script}`);
  const { stdout } = spawnSync("bash", ["--norc", "-c", WITNESS + script], { cwd, encoding: "utf8" });
  return wordLists(stdout).map((words) => (words[0] === "sudo" ? words.slice(1) : words));
}

function wordLists(written: string): Words[] {
  return written
    .split("\0\n\0")
    .map((words) => words.split("\0"))
    .filter(([first]) => first !== "");
}

/** The blocks for a shell, each a script. */
export function scriptsIn(markdown: string): string[] {
  return codeBlocks(markdown).flatMap(({ language, text }) => (language === "sh" ? [text] : []));
}

/** What a sentence or a table says to type: `pawline …`, `npm …` and the like. */
export function spokenCommands(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/`((?:pawline|npm|npx|docker|sudo|journalctl|systemctl) [^`\n]+)`/g)]
    .map(([, command = ""]) => command)
    .filter((command) => !command.includes("…"));
}
