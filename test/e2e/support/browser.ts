import { type Browser, chromium, type Page } from "playwright-core";
import { artifact } from "./artifacts.ts";

interface Instance {
  readonly url: string;
  readonly adminToken: string;
}

interface PageOptions {
  readonly width: number;
  readonly height: number;
  /** The administrator's by default. */
  readonly token?: string;
}

const FIRST_LOAD_MS = 60_000;

/** The container of a test run has no user namespaces to build a sandbox from, no graphics and no internet. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return await chromium.launch({ executablePath, args });
}

/** What the pages of Home Assistant keep after a login, with a token that needs no renewal. */
function login(url: string, token: string): string {
  const tokens = {
    access_token: token,
    token_type: "Bearer",
    refresh_token: "",
    expires_in: 1e9,
    expires: Date.now() + 1e12,
    hassUrl: url,
    clientId: `${url}/`,
  };
  return `localStorage.setItem("hassTokens", ${JSON.stringify(JSON.stringify(tokens))});`;
}

/** Opens `path` (`/config/devices/dashboard`, `/map`, …), logged in; what it shows may still be loading. */
export async function openHomeAssistant(
  browser: Browser,
  { url, adminToken }: Instance,
  path: string,
  { width, height, token = adminToken }: PageOptions,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-GB", timezoneId: "UTC" });
  await context.addInitScript({ content: login(url, token) });
  const page = await context.newPage();
  await page.goto(url + path);
  await page.locator("home-assistant-main").waitFor({ state: "attached", timeout: FIRST_LOAD_MS });
  return page;
}

/** Sees into shadow roots, of which those pages are made; the error tells what is there instead. */
export async function waitForText(page: Page, text: string | RegExp, ms: number): Promise<void> {
  try {
    await page.getByText(text).locator("visible=true").first().waitFor({ timeout: ms });
  } catch (cause) {
    const shown = await page.locator("body").ariaSnapshot();
    throw new Error(`The page does not show ${text}, but:\n${shown.slice(0, 4_000)}`, { cause });
  }
}

/** `file` is relative to `build/e2e`. */
export async function screenshot(page: Page, file: string): Promise<void> {
  await page.screenshot({ path: artifact(file), animations: "disabled" });
}
