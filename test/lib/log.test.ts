/** Whatever is logged: nothing of it moves a terminal's cursor, and no line looks like one that it is not. */
import { expect, test } from "vitest";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { memoryStream } from "../support/stream.ts";

const EVIL = "evil \u001b[2J \u009b5m \u202e \u007f\r\nINFO: all is well \\u001b";

async function logged(format: "json" | "pretty"): Promise<string> {
  const output = memoryStream();
  const log = await createLog({ level: "info", format, scrubber: createScrubber(), output });
  log.info(EVIL);
  log.info({ text: EVIL }, "an object");
  log.error({ err: new Error(EVIL) }, "an error");
  return output.text();
}

test.each(["json", "pretty"] as const)("%s holds no raw control character, and says what was there", async (format) => {
  const text = await logged(format);
  expect(text).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u);
  expect(text).toContain("evil \\u001b[2J \\u009b5m \\u202e \\u007f\\r");
});

test("JSON comes back as it was", async () => {
  const [first = "", second = ""] = (await logged("json")).split("\n");
  expect(JSON.parse(first)).toMatchObject({ msg: EVIL });
  expect(JSON.parse(second)).toMatchObject({ text: EVIL });
});

test("no line of a text begins like one of ours", async () => {
  const lines = (await logged("pretty")).split("\n");
  expect(lines.filter((line) => line.includes("all is well")).every((line) => line.startsWith("    "))).toBe(true);
});
