// Makes one file of the whole program, with all that it imports: `node tools/bundle.mjs [FILE]`, and beside it
// LICENSES.txt, with the licences of what it took in, and the page's files in a folder `page`. The container image holds
// nothing else of ours. Plain JavaScript, since the image is built with whatever Node.js its build stage has.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { buildPage, licensesOf } from "./page.mjs";

const outfile = process.argv[2] ?? "build/pawline.mjs";
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

// Libraries in CommonJS ask for Node's own modules by `require`, which a module does not have by itself. And Node.js
// keeps quiet about old ways of libraries (DEP0169) as long as they stand in node_modules, which here they do not.
const banner = [
  'import { createRequire as createRequireOfBundle } from "node:module";',
  "const require = createRequireOfBundle(import.meta.url);",
  "process.noDeprecation = true;",
].join("\n");

const { metafile } = await build({
  entryPoints: ["src/main.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  minify: true,
  // Names are for the stack traces of bug reports.
  keepNames: true,
  legalComments: "none",
  banner: { js: banner },
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  logLevel: "warning",
  metafile: true,
});

const folder = dirname(outfile);
writeFileSync(join(folder, "LICENSES.txt"), licensesOf(Object.keys(metafile.inputs)));
await buildPage(join(folder, "page"));
