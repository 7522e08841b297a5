/** Documents as data: their code blocks, tables, sections and links. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** All documents of the project, as paths from its folder. */
export const DOCUMENTS: readonly string[] = globSync(["**/*.md", ".github/**/*.md"], {
  cwd: ROOT,
  exclude: ["node_modules/**", "dist/**", "build/**", "coverage/**", "data/**"],
});

export function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
}

/** The text of the first block of this language. */
export function codeBlock(markdown: string, language: string, index = 0): string {
  const found = codeBlocks(markdown).filter((block) => block.language === language)[index];
  if (found === undefined) throw new Error(`no block of ${language} number ${index}`);
  return found.text;
}

export function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
}

/** What stands under this heading, up to the next one of its level or above. */
export function section(markdown: string, heading: string): string {
  const [, level = "", rest = ""] = new RegExp(`^(#+) ${heading}\\n([\\s\\S]*)`, "m").exec(markdown) ?? [];
  if (level === "") throw new Error(`no heading "${heading}"`);
  return rest.split(new RegExp(`^#{1,${level.length}} `, "m"))[0] ?? "";
}

/** The cells of all table rows; rows of dashes are left out. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^\| (.*) \|$/gm);
  return [...lines]
    .map(([, row = ""]) => row.split(" | ").map((cell) => cell.trim()))
    .filter(([first]) => first !== "---");
}

/** The text between backticks; undefined for a cell that is no code. */
export function code(cell: string | undefined): string | undefined {
  return /^`([^`]*)`$/.exec(cell ?? "")?.[1];
}

/** The anchors that headings get: small letters, blanks as dashes, no punctuation. */
export function anchors(markdown: string): string[] {
  const headings = markdown.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}
