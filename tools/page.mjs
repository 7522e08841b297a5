// Builds the page (src/page) for the browser: `node tools/page.mjs [FOLDER]`. What can be packed is packed beside it, so
// that the server has nothing to do but to hand it out; and LICENSES.txt names what it took in. Plain JavaScript, like
// tools/bundle.mjs, which calls it for the image.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL("../src/page", import.meta.url));
const PACKED = /\.(?:js|css|svg)$/;

/** @param folder is emptied first */
export async function buildPage(folder) {
  const outDir = resolve(folder);
  const output = await build({
    root,
    // Every address is relative: the page lies behind any path.
    base: "./",
    configFile: false,
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  for (const file of readdirSync(outDir, { recursive: true }).map(String)) {
    if (PACKED.test(file)) pack(join(outDir, file));
  }
  writeFileSync(join(outDir, "LICENSES.txt"), licensesOf(output.output.flatMap(({ moduleIds = [] }) => moduleIds)));
}

function pack(file) {
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

/** The licences of the packages that these files belong to. */
export function licensesOf(files) {
  const folders = files.map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const known = [...new Set(folders.filter((folder) => folder !== undefined))].toSorted((a, b) => (a < b ? -1 : 1));
  return known.map(licenseOf).join(`\n${"-".repeat(80)}\n`);
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${name} ${version}: ${license}\n${text}`;
}

if (import.meta.main ?? resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  await buildPage(process.argv[2] ?? "dist/page");
}
