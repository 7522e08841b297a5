/** The live page of a house without a cat, and of one with two accounts and two hundred. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { openBrowser, screenshot } from "./support/browser.ts";
import { type Daemon, startDaemon } from "./support/daemon.ts";
import { freePort } from "./support/network.ts";
import { cardOf, hoursAgo, markerOf, objections, visit } from "./support/visitor.ts";
import { eventually } from "./support/waiting.ts";

const ALEX = { login: "alex@cats.example", password: "a secret for this test", id: 1, name: "Alex" };
const SAM = { login: "sam@cats.example", password: "another secret", id: 2, name: "Sam" };
const WAIT_MS = 30_000;
const MANY = 200;

let cloud: Cloud;
let browser: Browser;

beforeAll(async () => {
  cloud = await startCloud();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await cloud?.close();
});

interface House extends AsyncDisposable {
  readonly url: string;
}

async function start(accounts: readonly (typeof ALEX)[], saying: RegExp): Promise<House> {
  const { portalUrl, streamUrl } = cloud;
  const port = await freePort();
  const logins = accounts.map(({ login: username, password }) => ({
    username,
    password,
    portal_url: portalUrl,
    stream_url: streamUrl,
  }));
  const daemon: Daemon = startDaemon({ config: { pettracer: logins, live: { port } } });
  await daemon.waitForOutput(saying, WAIT_MS);
  return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: async () => void (await daemon.stop()) };
}

test("an empty account has a page that says so", async () => {
  cloud.addAccount(SAM);
  await using house = await start([SAM], /live, 0 collars/);
  for (const width of [390, 1_280]) {
    const { page, complaints, close } = await visit(browser, house.url, { width });
    await page.getByText("No cats are known yet.").waitFor({ timeout: WAIT_MS });
    await page.getByText("No position is known yet.").waitFor();
    await screenshot(page, `live-empty-${width}.png`);
    expect([await objections(page), complaints]).toEqual([[], []]);
    // The first one that joins is there without a reload.
    if (width === 1_280) {
      cloud.addCollar(SAM.login, { id: 500, home: false, lastPos: null, details: { id: 500, name: "Nowhere" } });
      cloud.faults.dropStreams();
      await cardOf(page, "Nowhere").getByText("No position yet").waitFor({ timeout: 60_000 });
      expect(await page.locator(".cat-marker").count()).toBe(0);
    }
    await close();
  }
});

describe("two accounts and two hundred cats", () => {
  let house: House;

  beforeAll(async () => {
    cloud.addAccount(ALEX);
    cloud.addHomeStation(ALEX.login, { id: 900, posLat: 51.4, posLong: -1.084, lastContact: hoursAgo(0) });
    for (let index = 0; index < MANY; index += 1) {
      const lastPos = {
        posLat: 51.4 + Math.sin(index) / 300,
        posLong: -1.084 + Math.cos(index * 1.7) / 200,
        acc: 9,
        timeMeasure: hoursAgo(0),
      };
      const details = { id: 1_000 + index, name: `Cat ${index}`, color: (index * 8_431) % 0xffffff };
      cloud.addCollar(ALEX.login, {
        id: 1_000 + index,
        home: index % 10 === 0,
        lastPos,
        details,
        lastContact: hoursAgo(0),
      });
    }
    house = await start([ALEX, SAM], /live, 200 collars/);
  });

  afterAll(() => house?.[Symbol.asyncDispose]());

  test("all are there, by account, and can be found", async () => {
    const { page, complaints, close } = await visit(browser, house.url, { colorScheme: "dark" });
    await cardOf(page, "Cat 0").waitFor({ timeout: WAIT_MS });
    await eventually(WAIT_MS, "all cats", async () => (await page.locator(".card").count()) === MANY + 1 || undefined);
    await page.getByRole("heading", { name: /Alex/ }).waitFor();
    await screenshot(page, "live-many.png");
    // With so many, one has its controls in sight when it is chosen.
    expect(await page.getByRole("switch").count()).toBe(0);
    const accounts = page.getByRole("group", { name: "Account" });
    await accounts.getByRole("button", { name: /Sam/ }).click();
    await eventually(WAIT_MS, "Sam's alone", async () => (await page.locator(".card").count()) === 1 || undefined);
    await accounts.getByRole("button", { name: "All" }).click();
    await page.getByRole("searchbox", { name: "Search by name" }).fill("cat 19");
    await eventually(
      WAIT_MS,
      "those of that name",
      async () => (await page.locator(".card").count()) === 11 || undefined,
    );
    expect(await objections(page, ".side")).toEqual([]);
    await cardOf(page, "Cat 19").getByRole("button", { name: "Cat 19", exact: true }).click();
    await eventually(WAIT_MS, "its controls", async () => (await page.getByRole("switch").count()) === 3 || undefined);
    await page.getByRole("searchbox").fill("no such cat");
    await page.getByText("No cat is called that.").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("when all of them move at once, the page stays at hand", async () => {
    const { page, complaints, close } = await visit(browser, house.url, { width: 390 });
    await cardOf(page, "Cat 7").waitFor({ timeout: WAIT_MS });
    await markerOf(page, "Cat 7").first().waitFor();
    await page.evaluate(
      `(() => { window.longest = 0; new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration); }).observe({ type: "longtask" }); })()`,
    );
    const transform = (): Promise<string | null> => markerOf(page, "Cat 7").first().getAttribute("style");
    for (let round = 1; round <= 5; round += 1) {
      const before = await transform();
      for (let index = 0; index < MANY; index += 1) {
        const lastPos = {
          posLat: 51.4 + Math.sin(index) / 300 + round / 9_000,
          posLong: -1.084,
          acc: 9,
          timeMeasure: hoursAgo(0),
        };
        cloud.push(1_000 + index, { lastPos, lastContact: hoursAgo(0) });
      }
      await eventually(WAIT_MS, "a move", async () => (await transform()) !== before || undefined);
    }
    await page.getByRole("tab", { name: "Events" }).click();
    await page.getByRole("tabpanel", { name: "Events" }).waitFor();
    console.info(`the longest task while 200 cats moved: ${String(await page.evaluate("window.longest"))} ms`);
    expect(complaints).toEqual([]);
    await close();
  });
});
