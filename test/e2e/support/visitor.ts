/** Somebody who looks at the live page: with a device, a language, and an eye on what the page asks for. */
import axe from "axe-core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

export interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
  readonly locale?: string;
}

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What its console says is an error of ours. */
  readonly complaints: string[];
  /** Every address that was asked for. */
  readonly requests: string[];
  readonly close: () => Promise<void>;
}

const HOUR_MS = 3_600_000;

/** A time zone in which it is about noon: what is hours ago is still today. */
function noonZone(nowMs = Date.now()): string {
  const ahead = 13 - new Date(nowMs).getUTCHours();
  // Of these zones, those to the east have the minus.
  return ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Visitor> {
  const { width = 1_280, colorScheme = "light", locale = "en-GB" } = look;
  const viewport = { width, height: width < 700 ? 844 : 860 };
  const context = await browser.newContext({
    viewport,
    colorScheme,
    locale,
    timezoneId: noonZone(),
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const [complaints, requests]: [string[], string[]] = [[], []];
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  page.on("pageerror", (error) => void complaints.push(String(error)));
  page.on("request", (request) => void requests.push(request.url()));
  page.on("websocket", (socket) => void requests.push(socket.url().replace(/^ws/, "http")));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, context, complaints, requests, close: () => context.close() };
}

/** What a checker of accessibility objects to. @param part of the page, where all of it would take too long */
export async function objections(page: Page, part = "html"): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(part)})`)) as axe.AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

export function cardOf(page: Page, name: string): Locator {
  return page.getByRole("listitem").filter({ has: page.getByRole("button", { name, exact: true }) });
}

export function markerOf(page: Page, name: string): Locator {
  return page.locator(".cat-marker").filter({ hasText: name });
}

/** As the cloud writes a time, so many hours before now. */
export function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * HOUR_MS).toISOString().replace("Z", "+0000");
}
