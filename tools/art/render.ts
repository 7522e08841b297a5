/**
 * Renders the app's pictures from their drawings: `node tools/art/render.ts`. It needs Chromium, at /usr/bin/chromium
 * or where the variable CHROMIUM says.
 */
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const PICTURES = [
  { drawing: "icon", width: 128, height: 128 },
  { drawing: "logo", width: 250, height: 100 },
] as const;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const { drawing, width, height } of PICTURES) {
  const page = await browser.newPage({ viewport: { width, height } });
  const svg = readFileSync(new URL(`${drawing}.svg`, import.meta.url), "utf8");
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: 100vw; height: 100vh }</style>${svg}`);
  await page.screenshot({ path: `addon/${drawing}.png`, omitBackground: true });
  await page.close();
}
await browser.close();
