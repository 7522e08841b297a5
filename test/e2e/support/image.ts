/** The container image without Docker: its folder, laid down and entered by the scripts of `tools/image`. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./artifacts.ts";
import { StartedProcess, temporaryFolder } from "./processes.ts";

const scripts = join(projectFolder, "tools/image");

export interface EnterOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Numbers of another user and group than root's, `user:group`. */
  readonly as?: string;
}

/** Everything of the image but what it takes from Alpine. Only root can enter it. */
export class Image {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** As on a fresh start of the app: /data and what is in it belong to root, and nobody else may read it. */
  get data(): string {
    return join(this.folder, "data");
  }

  writeOptions(options: object): void {
    const file = join(this.data, "options.json");
    writeFileSync(file, JSON.stringify(options));
    chmodSync(file, 0o600);
    chownSync(file, 0, 0);
  }

  /** `docker run IMAGE ARGS`, with a read-only root. */
  run(args: readonly string[], options: EnterOptions = {}): StartedProcess {
    return this.enter(["/node", "/opt/pawline/start.mjs", ...args], options);
  }

  enter(command: readonly string[], { env = {}, as = "" }: EnterOptions = {}): StartedProcess {
    const environment = { PATH: process.env.PATH, NODE: process.execPath, ENTER_AS: as, ...env };
    return new StartedProcess("sh", [join(scripts, "enter.sh"), this.folder, ...command], { env: environment });
  }
}

export async function layImage(): Promise<Image> {
  const folder = temporaryFolder("image");
  const laying = new StartedProcess("sh", [join(scripts, "lay.sh"), folder], { env: process.env });
  if ((await laying.ended) !== 0) throw new Error(`lay.sh failed:\n${laying.lastLines()}`);
  mkdirSync(join(folder, "config"));
  return new Image(folder);
}

/** The numbers of the user, the group and the other groups that a process runs with. */
export function identityOf(pid: number): { user: number[]; group: number[]; others: number[] } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const numbers = (key: string): number[] =>
    (new RegExp(`^${key}:(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean).map(Number);
  return { user: numbers("Uid"), group: numbers("Gid"), others: numbers("Groups") };
}
