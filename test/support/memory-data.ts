import type { DataDir } from "../../src/lib/data-dir.ts";

/** A data directory for one value, kept as the JSON that a file would hold. */
export function memoryData(): DataDir & { text: string } {
  const data = {
    text: "",
    read: (): unknown => (data.text === "" ? undefined : JSON.parse(data.text)),
    write(_name: string, value: unknown) {
      data.text = JSON.stringify(value);
    },
    writeJson(_name: string, json: string) {
      data.text = json;
    },
  };
  return data;
}
