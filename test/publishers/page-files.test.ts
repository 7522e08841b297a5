/** The page's files: what is handed out, packed as the reader wants it, and what they may do in a browser. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../src/lib/about.ts";
import { codingFor, contentPolicy, readPage } from "../../src/publishers/live/http/page-files.ts";
import { liveOptions } from "../../src/publishers/live/options.ts";
import { temporaryFolder } from "../e2e/support/processes.ts";

function built(): string {
  const folder = temporaryFolder("page");
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<html><head></head><body></body></html>");
  writeFileSync(join(folder, "assets/index-abc.js"), "alert(1)");
  writeFileSync(join(folder, "assets/index-abc.js.br"), "brotli");
  writeFileSync(join(folder, "assets/index-abc.js.gz"), "gzip");
  writeFileSync(join(folder, "icon.svg"), "<svg/>");
  writeFileSync(join(folder, "secret.json"), "{}");
  return folder;
}

const options = liveOptions.parse({});

test("each file has its path and type; what is no part of a page is not handed out", () => {
  const files = readPage(options, [built()]);
  expect([...files.keys()].toSorted()).toEqual(["/", "/assets/index-abc.js", "/icon.svg", "/index.html"]);
  expect(files.get("/assets/index-abc.js")?.headers).toEqual({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "private, max-age=31536000, immutable",
  });
  expect(files.get("/")?.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
});

test("a page that was never built is none", () => {
  expect(readPage(options, [temporaryFolder("nothing"), "/nowhere"])).toEqual(new Map());
});

test.each([
  ["br, gzip", "br"],
  ["gzip, deflate", "gzip"],
  ["GZIP;q=0.5, br;q=0", "gzip"],
  ["gzip;q=0, br; q=1.0", "br"],
  ["identity", "identity"],
  ["", "identity"],
  [undefined, "identity"],
  ["brotli", "identity"],
])("who takes %j gets %s", (accepted, coding) => {
  const file = readPage(options, [built()]).get("/assets/index-abc.js");
  if (file === undefined) throw new Error("it was written");
  expect(codingFor(file, { ...(accepted !== undefined && { "accept-encoding": accepted }) })).toBe(coding);
});

test("the page knows its version, and where map tiles come from, if they may come at all", () => {
  const hostile = `"><script>alert(1)</script>`;
  const text = (draft: object): string => {
    const page = readPage(liveOptions.parse(draft), [built()]).get("/");
    return String(page?.bodies.identity);
  };
  expect(text({})).toContain(`<meta name="pawline-version" content="${VERSION}">`);
  expect(text({})).toContain('content="https://tile.openstreetmap.org/{z}/{x}/{y}.png"');
  expect(text({ tiles: { attribution: hostile } })).not.toContain("<script");
  expect(text({ tiles: { allowed: false } })).not.toContain("tile");
});

test("pictures come from ourselves, and from the tiles' server where tiles are allowed", () => {
  const pictures = (draft: object): string | undefined =>
    /img-src ([^;]*);/.exec(contentPolicy(liveOptions.parse({ tiles: draft })))?.[1];
  expect(pictures({})).toBe("'self' data: https://tile.openstreetmap.org");
  expect(pictures({ url: "http://127.0.0.1:7070/t/{z}/{x}/{y}.png" })).toBe("'self' data: http://127.0.0.1:7070");
  expect(pictures({ url: "https://{s}.tiles.example/{z}/{x}/{y}.png" })).toBe(
    "'self' data: https://a.tiles.example https://b.tiles.example https://c.tiles.example",
  );
  expect(pictures({ allowed: false })).toBe("'self' data:");
  expect(contentPolicy(options)).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(contentPolicy(options)).not.toMatch(/unsafe|\*/);
});
