/** The status page as users meet it: in a browser, behind Home Assistant's Ingress. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { ask } from "../support/http.ts";
import { artifact } from "./support/artifacts.ts";
import { openBrowser, screenshot, waitForText } from "./support/browser.ts";
import { type Daemon, startDaemon } from "./support/daemon.ts";
import { borrowAddresses, type Ingress, NEIGHBOUR, startIngress } from "./support/ingress.ts";
import { freePort } from "./support/network.ts";
import { eventually } from "./support/waiting.ts";

const OWNER = { login: "owner@cats.example", password: "a secret for this test", id: 15979, name: "Owner" };
const HOSTILE = "<script>alert(1)</script>";
const WAIT_MS = 20_000;

/** Where the user may not give this computer an address, there is no Supervisor to be. */
const addresses = await borrowAddresses().catch((error: unknown) => String(error));
const [giveBack, reason] = typeof addresses === "string" ? [undefined, addresses] : [addresses, ""];
if (giveBack === undefined) console.warn(`skipped: this user may not add the Supervisor's address (${reason})`);

describe.skipIf(giveBack === undefined)("the status page behind Ingress", () => {
  let cloud: Cloud;
  let daemon: Daemon;
  let ingress: Ingress;
  let browser: Browser;
  let port: number;

  beforeAll(async () => {
    cloud = await startCloud();
    furnish(cloud);
    port = await freePort();
    daemon = startDaemon({ config: configuration(cloud, port, await freePort()) });
    ingress = await startIngress(port);
    browser = await openBrowser();
    await daemon.waitForOutput(/live, 4 collars/, WAIT_MS);
  });

  afterAll(async () => {
    await browser?.close();
    await ingress?.close();
    await daemon?.stop();
    await cloud?.close();
    await giveBack?.();
  });

  interface Reader {
    readonly width?: number;
    readonly colorScheme?: "light" | "dark";
    readonly locale?: string;
    readonly url?: string;
  }

  /** The page; whatever its console says is an error of ours. */
  async function open({ width = 1_280, colorScheme = "light", locale = "en-GB", url = ingress.url }: Reader = {}) {
    const viewport = { width, height: width < 700 ? 800 : 900 };
    const context = await browser.newContext({ viewport, colorScheme, locale, timezoneId: "Europe/Berlin" });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
    page.on("pageerror", (error) => void complaints.push(String(error)));
    page.on("dialog", (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return { page, complaints, close: () => context.close() };
  }

  /** What a checker of accessibility objects to. */
  async function objections(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }

  const WIDTHS = { phone: 390, desktop: 1_280 } as const;
  const CASES = (["phone", "desktop"] as const).flatMap((device) =>
    (["light", "dark"] as const).map((colorScheme) => [device, colorScheme] as const),
  );

  test.each(CASES)("looks right and is accessible: %s, %s", async (device, colorScheme) => {
    const locale = colorScheme === "dark" ? "de-DE" : "en-GB";
    const { page, complaints, close } = await open({ width: WIDTHS[device], colorScheme, locale });
    await waitForText(page, "Mochi", WAIT_MS);
    await screenshot(page, `live-${device}-${colorScheme}.png`);
    await page.screenshot({ path: artifact(`live-${device}-${colorScheme}-full.png`), fullPage: true });
    expect(await objections(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test.each([320, 390, 704, 705, 1_280])("nothing sticks out at a width of %d", async (width) => {
    const { page, close } = await open({ width });
    const [inner, whole] = (await page.evaluate(
      "[document.documentElement.clientWidth, document.documentElement.scrollWidth]",
    )) as [number, number];
    expect(whole).toBeLessThanOrEqual(inner);
    await close();
  });

  test.each([390, 1_280])("a screen reader finds its way at a width of %d", async (width) => {
    const { page, close } = await open({ width });
    await page.getByRole("banner").waitFor();
    await page.getByRole("main").waitFor();
    await page.getByRole("heading", { level: 1, name: "Pawline" }).waitFor();
    for (const name of ["Pets", "Home stations", "PetTracer accounts", "Outputs", "Last error"]) {
      await page.getByRole("heading", { level: 2, name }).waitFor();
      await page.getByRole("region", { name }).waitFor();
    }
    const pets = page.getByRole("table", { name: "Pets" });
    expect(await pets.getByRole("columnheader").allTextContents()).toEqual([
      "Name",
      "At home",
      "Battery",
      "Last contact",
      "Last position",
    ]);
    expect(await pets.getByRole("rowheader").allTextContents()).toEqual(expect.arrayContaining(["Mochi", HOSTILE]));
    expect(await pets.getByRole("row").count()).toBe(5);
    await close();
  });

  test("times are the reader's, in the reader's language", async () => {
    // 10:05 in UTC is 12:05 in Berlin, in summer.
    for (const [locale, shown] of [
      ["en-GB", "1 Jun 2026, 12:05"],
      ["de-DE", "01.06.2026, 12:05"],
    ] as const) {
      const { page, close } = await open({ locale });
      await page.getByText(shown).first().waitFor();
      expect(await page.locator("html").getAttribute("lang")).toBe(locale.slice(0, 2));
      expect(await page.locator("body").textContent()).not.toContain("UTC");
      await close();
    }
  });

  test("what goes wrong is told, with its remedy", async () => {
    const { page, close } = await open();
    const outputs = page.getByRole("table", { name: "Outputs" });
    await outputs.getByRole("row", { name: /MQTT broker ✗? ?Waiting to try again .* cannot be reached/ }).waitFor();
    await page.getByText("One part does not work.").waitFor();
    const error = page.getByRole("region", { name: "Last error" });
    await error.getByText(/the broker at 127\.0\.0\.1:\d+ cannot be reached/).waitFor();
    await error.getByText(/It is tried again by itself, soon\./).waitFor();
    await close();
  });

  test("news come by themselves, and a name stays a name", async () => {
    const { page, complaints, close } = await open();
    await page.getByRole("rowheader", { name: HOSTILE }).waitFor();
    await page.evaluate("window.wasHere = true");
    cloud.push(14_703, { details: { id: 14_703, name: `<img src=x onerror="alert(2)">` } });
    await page.getByRole("rowheader", { name: `<img src=x onerror="alert(2)">` }).waitFor({ timeout: WAIT_MS });
    expect(await page.evaluate("window.wasHere")).toBe(true);
    expect(complaints).toEqual([]);
    cloud.push(14_703, { details: { id: 14_703, name: HOSTILE } });
    await close();
  });

  test("a lost connection is told, and comes back by itself", async () => {
    const { page, close } = await open({ width: 390 });
    const notice = page.getByRole("status");
    expect(await notice.textContent()).toBe("");
    ingress.isDown = true;
    try {
      await notice
        .getByText(/^The connection to Pawline is lost\. What you see is from \d\d:\d\d\./)
        .waitFor({ timeout: WAIT_MS });
      await screenshot(page, "live-lost.png");
      expect(await objections(page)).toEqual([]);
    } finally {
      ingress.isDown = false;
    }
    await eventually(WAIT_MS, "the notice to go", async () => (await notice.textContent()) === "" || undefined);
    await close();
  });

  test("Home Assistant may show it in its frame, and nobody else", async () => {
    const { page, close } = await open({ url: ingress.frontend });
    await page.frameLocator("iframe").getByRole("rowheader", { name: "Mochi" }).waitFor();
    await close();
    // The same page, framed by another origin.
    const stranger = await open({ url: ingress.frontend.replace("127.0.0.1", "localhost") });
    await stranger.page.setContent(`<iframe src="${ingress.url}"></iframe>`);
    await eventually(WAIT_MS, "the refusal", () =>
      Promise.resolve(stranger.complaints.some((text) => text.includes("frame-ancestors")) || undefined),
    );
    await stranger.close();
  });

  test.each([NEIGHBOUR, "127.0.0.1", "127.0.0.2"])("a request from %s gets a sentence instead", async (from) => {
    for (const path of ["", "api/status", "script.js", "nothing"]) {
      const headers = { "x-ingress-path": "/api/hassio_ingress/c0ffee", "x-forwarded-for": "172.30.32.2" };
      const { status, body } = await ask(`http://127.0.0.1:${port}/${path}`, { from, headers });
      expect([status, body]).toEqual([403, expect.stringMatching(/^This page is served through Home Assistant alone/)]);
    }
    const health = await ask(`http://127.0.0.1:${port}/healthz`, { from });
    expect(health.status).toBe(from === NEIGHBOUR ? 403 : 200);
  });
});

function furnish(cloud: Cloud): void {
  cloud.addAccount(OWNER);
  const seenAt = "2026-06-01T10:05:00.000+0000";
  cloud.addHomeStation(OWNER.login, { id: 10_775, lastContact: new Date().toISOString() });
  const pets = [
    { id: 14_701, name: "Mochi", bat: 4_050, home: true, seenAt: new Date().toISOString() },
    { id: 14_702, name: "Biscuit", bat: 3_500, home: false, seenAt },
    { id: 14_703, name: HOSTILE, bat: 3_900, home: false, seenAt },
    {
      id: 14_704,
      name: "Sir Reginald Fluffington the Third of Whiskershire-upon-Meow",
      bat: 3_900,
      home: false,
      seenAt,
    },
  ];
  for (const { id, name, bat, home, seenAt: lastContact } of pets) {
    const lastPos = { posLat: 51.4, posLong: -1.08, acc: 8, timeMeasure: lastContact };
    cloud.addCollar(OWNER.login, {
      id,
      bat,
      home,
      lastContact,
      lastPos,
      chg: id === 14_701 ? 1 : 0,
      details: { id, name },
    });
  }
}

/** As in the app; and with a broker that does not exist, so that there is something to tell. */
function configuration({ portalUrl, streamUrl }: Cloud, port: number, brokerPort: number): object {
  return {
    pettracer: { username: OWNER.login, password: OWNER.password, portal_url: portalUrl, stream_url: streamUrl },
    mqtt: { url: `mqtt://127.0.0.1:${brokerPort}` },
    live: { host: "0.0.0.0", port, ingress: true },
  };
}
