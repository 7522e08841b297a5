/** The arguments of the command line, a line each, behind a command that does nothing but read the configuration. */
import { runHere } from "../../commands/in-process.ts";
import { ensure, type Target, type Trial } from "../target.ts";

export const flags: Target = {
  name: "flags",
  dictionary: [
    "\n",
    "--config\n",
    "--config=",
    "--log-level\n",
    "--log-level=",
    "--schema",
    "--help",
    "-",
    "--",
    "--version",
  ],
  runs: 150,
  open: () => Promise.resolve(open()),
};

function open(): Trial {
  const run = async (text: string): Promise<string> => {
    const { code, stdout, stderr } = await runHere(["config", ...text.split("\n")]);
    ensure([0, 2].includes(code), `exit code ${code}: ${stderr}`);
    ensure(!/[^\P{Cc}\n\t]/u.test(stderr), `control characters in ${JSON.stringify(stderr.slice(0, 300))}`);
    return stdout;
  };
  return {
    try: async (input) => void (await run(input.toString("utf8"))),
    close: async () => ensure((await run("--schema")).includes('"mqtt"'), "good arguments are not read any more"),
  };
}
