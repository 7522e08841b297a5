/**
 * The page's files, as `tools/page.mjs` has built them: beside the program, and read once. Those with a hash in their
 * name never change, so a browser may keep them; the page itself is asked for each time, and names the others. What it
 * has to know of the configuration stands in its head.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { extname, join } from "node:path";
import { VERSION } from "../../../lib/about.ts";
import type { LiveOptions } from "../options.ts";

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  /** As it is, and packed where that is smaller. */
  readonly bodies: Readonly<Partial<Record<Coding, Buffer>>> & { readonly identity: Buffer };
}

type Coding = "br" | "gzip" | "identity";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};
const PACKED = { ".br": "br", ".gz": "gzip" } as const;
const FOR_EVER = "private, max-age=31536000, immutable";
const FOR_AN_HOUR = "private, max-age=3600";

/** Where the build puts them: beside the one file; in `dist`; and there, too, for who runs the source. */
const PAGE_FOLDERS: readonly string[] = ["page", "../../../page", "../../../../dist/page"].map((folder) =>
  join(import.meta.dirname, folder),
);

/** By path; empty where the page was never built. */
export function readPage(
  options: LiveOptions,
  folders: readonly string[] = PAGE_FOLDERS,
): ReadonlyMap<string, PageFile> {
  const folder = folders.find(isBuilt);
  if (folder === undefined) return new Map();
  const names = namesIn(folder).filter((name) => TYPES[extname(name)] !== undefined);
  const files = new Map(names.map((name) => [`/${name}`, fileOf(folder, name)] as const));
  const page = pageFile(readFileSync(join(folder, "index.html"), "utf8"), options);
  return files.set("/", page).set("/index.html", page);
}

/** Its source has an index, too. */
function isBuilt(folder: string): boolean {
  const names = namesIn(folder);
  return names.includes("index.html") && names.includes("assets");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll("\\", "/"));
  } catch {
    return [];
  }
}

function fileOf(folder: string, name: string): PageFile {
  const names = new Set(namesIn(folder));
  const packed = Object.entries(PACKED).flatMap(([ending, coding]) =>
    names.has(name + ending) ? [[coding, readFileSync(join(folder, name + ending))]] : [],
  );
  return {
    headers: {
      "content-type": TYPES[extname(name)] ?? "",
      "cache-control": name.startsWith("assets/") ? FOR_EVER : FOR_AN_HOUR,
    },
    bodies: { ...Object.fromEntries(packed), identity: readFileSync(join(folder, name)) },
  };
}

function pageFile(text: string, options: LiveOptions): PageFile {
  const body = Buffer.from(text.replace("</head>", () => `${headOf(options)}</head>`));
  const headers = {
    "content-type": TYPES[".html"] ?? "",
    "cache-control": "no-store",
    "content-security-policy": contentPolicy(options),
  };
  return { headers, bodies: { identity: body } };
}

function headOf({ tiles }: LiveOptions): string {
  const version = metaOf("pawline-version", VERSION);
  if (!tiles.allowed) return version;
  return version + metaOf("pawline-tiles", tiles.url) + metaOf("pawline-tiles-attribution", tiles.attribution);
}

function metaOf(name: string, content: string): string {
  const signs: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return `<meta name="${name}" content="${content.replace(/[&<>"]/g, (sign) => signs[sign] ?? "")}">\n`;
}

/** The page is put together from our own files; pictures of a map come from their server, where that is allowed at all. */
export function contentPolicy({ tiles }: LiveOptions): string {
  const pictures = ["'self'", "data:", ...(tiles.allowed ? originsOf(tiles.url) : [])].join(" ");
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src ${pictures}; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
  );
}

/** The servers that share the work: Leaflet puts these letters in the place of `{s}`. */
const SUBDOMAINS = ["a", "b", "c"];

function originsOf(url: string): Set<string> {
  return new Set(SUBDOMAINS.map((letter) => new URL(url.replaceAll("{s}", letter)).origin));
}

/** The smallest form that the reader takes (RFC 9110: `Accept-Encoding`). */
export function codingFor({ bodies }: PageFile, { "accept-encoding": accepted = "" }: IncomingHttpHeaders): Coding {
  const taken = String(accepted)
    .toLowerCase()
    .split(",")
    .map((part) => part.split(";").map((piece) => piece.trim()))
    .filter(([, quality = "q=1"]) => Number(quality.replace(/^q=/, "")) > 0)
    .map(([coding]) => coding);
  const wanted = (["br", "gzip"] as const).find((coding) => bodies[coding] !== undefined && taken.includes(coding));
  return wanted ?? "identity";
}
