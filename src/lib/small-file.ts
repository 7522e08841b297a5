/** Files that a person writes by hand: one that is larger is another file, or none at all, such as `/dev/zero`. */
import { closeSync, openSync, readSync } from "node:fs";

const LARGEST_BYTES = 1024 * 1024;

/** The file's bytes. @throws what the file system says, or a sentence where it is too large */
export function readSmallFile(name: string): Buffer {
  const file = openSync(name, "r");
  try {
    const bytes = Buffer.allocUnsafe(LARGEST_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > LARGEST_BYTES) throw new Error("it is larger than 1 MB");
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
