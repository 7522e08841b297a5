/** Temporary folders that go when the test that asked for them has ended. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A test context's `onTestFinished`; the imported one does not know which of several concurrent tests asks. */
export type AtEnd = (action: () => Promise<void> | void) => void;

export interface TemporaryFolder {
  readonly path: string;
  /** Writes the file and returns its path. */
  write(name: string, text: string): string;
}

export function temporaryFolder(atEnd: AtEnd): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "pawline-test-"));
  atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return {
    path,
    write(name, text) {
      const file = join(path, name);
      writeFileSync(file, text);
      return file;
    },
  };
}
