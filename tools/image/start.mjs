// The image's entry: becomes a plain user, and then the program, in the same process, so that signals reach it.
//
// In the Home Assistant app, /data and its options.json belong to root, and the container starts as root. So root hands
// /data over and gives up its rights, before anything of the program is loaded. A container that was started as another
// user has none to give up. PUID and PGID name another user than the image's own, for files that belong to one.
import { lchownSync, readdirSync } from "node:fs";
import { join } from "node:path";

const DATA = "/data";
const OWN_ID = 10001;

function end(sentence, exitCode) {
  process.stderr.write(`${sentence}\n`);
  process.exit(exitCode);
}

function idOf(name) {
  const id = Number(process.env[name] || OWN_ID);
  if (Number.isInteger(id) && id > 0 && id < 2 ** 32 - 1) return id;
  return end(`${name}: must be the number of a user or group, and not root's`, 2);
}

/** What cannot be handed over stays as it is: the program says what it cannot read or write. */
function handOver(path, user, group) {
  try {
    lchownSync(path, user, group);
  } catch {}
}

function filesIn(folder) {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function becomePlain(user, group) {
  try {
    process.setgroups([]);
    process.setgid(group);
    process.setuid(user);
  } catch (error) {
    end(
      `Pawline does not run as root, and cannot become user ${user} (${error.message}): start the container with ` +
        "--user, or leave it the capabilities SETUID and SETGID",
      1,
    );
  }
}

if (process.getuid() === 0) {
  const [user, group] = [idOf("PUID"), idOf("PGID")];
  for (const path of [DATA, ...filesIn(DATA)]) handOver(path, user, group);
  becomePlain(user, group);
}

await import(new URL("pawline.mjs", import.meta.url).href);
