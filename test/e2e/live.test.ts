/** The live page as it is in Home Assistant: behind Ingress, in its frame; how it looks, and how it is read aloud. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { catPicture } from "../../src/demo/picture.ts";
import { ask } from "../support/http.ts";
import { artifact } from "./support/artifacts.ts";
import { openBrowser, screenshot } from "./support/browser.ts";
import { type Daemon, startDaemon } from "./support/daemon.ts";
import { borrowAddresses, type Ingress, NEIGHBOUR, startIngress } from "./support/ingress.ts";
import { freePort } from "./support/network.ts";
import { cardOf, hoursAgo, type Look, objections, type Visitor, visit } from "./support/visitor.ts";
import { eventually } from "./support/waiting.ts";

const OWNER = { login: "owner@cats.example", password: "a secret for this test", id: 15979, name: "Owner" };
const HOSTILE = "<script>alert(1)</script>";
const WAIT_MS = 20_000;

/** Where the user may not give this computer an address, there is no Supervisor to be. */
const addresses = await borrowAddresses().catch((error: unknown) => String(error));
const [giveBack, reason] = typeof addresses === "string" ? [undefined, addresses] : [addresses, ""];
if (giveBack === undefined) console.warn(`skipped: this user may not add the Supervisor's address (${reason})`);

describe.skipIf(giveBack === undefined)("the live page behind Ingress", () => {
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

  async function open(look: Look = {}): Promise<Visitor & AsyncDisposable> {
    const visitor = await visit(browser, ingress.url, look);
    await cardOf(visitor.page, "Mochi").waitFor({ timeout: WAIT_MS });
    return { ...visitor, [Symbol.asyncDispose]: visitor.close };
  }

  /** Each view of the page in turn: the cats with a day of one, what happened, how it is, the question about the map. */
  async function* views(page: Page, words: Words): AsyncGenerator<string> {
    await cardOf(page, "Mochi").getByRole("button", { name: "Mochi" }).click();
    await page.getByText(words.positions).waitFor({ timeout: WAIT_MS });
    yield "day";
    await page.getByRole("tab", { name: words.events }).click();
    yield "events";
    await page.getByRole("tab", { name: "Status" }).click();
    await page.getByText(words.failing).waitFor({ timeout: WAIT_MS });
    yield "status";
    await page.getByRole("button", { name: words.tiles, exact: true }).click();
    yield "question";
  }

  interface Words {
    readonly positions: RegExp;
    readonly events: string;
    readonly failing: string;
    readonly tiles: string;
  }

  const WORDS: Readonly<Record<string, Words>> = {
    "en-GB": { positions: /\d+ positions,/, events: "Events", failing: "One part does not work.", tiles: "Street map" },
    "de-DE": {
      positions: /\d+ Positionen,/,
      events: "Ereignisse",
      failing: "Ein Teil funktioniert nicht.",
      tiles: "Straßenkarte",
    },
  };
  const WIDTHS = { phone: 390, desktop: 1_280 } as const;
  const CASES = (["phone", "desktop"] as const).flatMap((device) =>
    (["light", "dark"] as const).flatMap((colorScheme) =>
      (["en-GB", "de-DE"] as const).map((locale) => [device, colorScheme, locale] as const),
    ),
  );

  test.each(CASES)("looks right, and nothing in it is hard to use: %s, %s, %s", async (device, colorScheme, locale) => {
    await using visitor = await open({ width: WIDTHS[device], colorScheme, locale });
    const { page } = visitor;
    const words = WORDS[locale];
    if (words === undefined) throw new Error("there are words for each language");
    expect(await page.locator("html").getAttribute("lang")).toBe(locale.slice(0, 2));
    await screenshot(page, `live-${device}-${colorScheme}-${locale.slice(0, 2)}.png`);
    for await (const view of views(page, words)) {
      // Colours and widths are the same in both languages where they are not at their longest.
      if (view !== "day" && locale === (colorScheme === "dark" ? "en-GB" : "de-DE")) break;
      await screenshot(page, `live-${device}-${colorScheme}-${locale.slice(0, 2)}-${view}.png`);
      expect([view, await objections(page)]).toEqual([view, []]);
      expect([view, await sticksOut(page)]).toEqual([view, false]);
    }
    expect(visitor.complaints).toEqual([]);
  });

  function sticksOut(page: Page): Promise<boolean> {
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
  }

  test.each([320, 831, 833])("nothing sticks out at a width of %d", async (width) => {
    await using visitor = await open({ width });
    await cardOf(visitor.page, "Mochi").getByRole("button", { name: "Mochi" }).click();
    await visitor.page.getByRole("region", { name: "The day of Mochi" }).waitFor();
    expect(await sticksOut(visitor.page)).toBe(false);
    await screenshot(visitor.page, `live-${width}.png`);
  });

  test.each([390, 1_280])("a screen reader finds its way at a width of %d", async (width) => {
    await using visitor = await open({ width });
    const { page } = visitor;
    await page.getByRole("banner").waitFor();
    await page.getByRole("main").waitFor();
    await page.getByRole("heading", { level: 1, name: "Pawline" }).waitFor();
    await page.getByRole("region", { name: "Map" }).waitFor();
    const cats = page.getByRole("tabpanel", { name: "Cats" });
    await cats.getByRole("heading", { level: 2, name: "Cats" }).waitFor();
    for (const name of ["Mochi", "Biscuit", HOSTILE]) {
      await cats.getByRole("heading", { level: 3, name }).waitFor();
      const controls = cats.getByRole("group", { name: `Controls of ${name}` });
      expect(await controls.getByRole("switch").count()).toBe(3);
    }
    await page.getByRole("tab", { name: "Status" }).click();
    for (const name of ["Home stations", "PetTracer accounts", "Outputs", "Last error"]) {
      await page.getByRole("heading", { level: 3, name }).waitFor();
      await page.getByRole("region", { name }).waitFor();
    }
    // Of cats that move nothing is read aloud.
    expect(await page.locator("[aria-live], [role=status], [role=alert]").allTextContents()).toEqual(["", "", ""]);
  });

  test("who wants no motion gets none", async () => {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(ingress.url);
    await cardOf(page, "Mochi").waitFor({ timeout: WAIT_MS });
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(await page.locator(".leaflet-zoom-anim").count()).toBe(0);
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
    await context.close();
  });

  test("what goes wrong is told, with its remedy", async () => {
    await using visitor = await open();
    const { page } = visitor;
    await page.getByRole("tab", { name: "Status" }).click();
    const outputs = page.getByRole("region", { name: "Outputs" });
    await outputs.getByText(/cannot be reached/).waitFor({ timeout: WAIT_MS });
    expect(await outputs.textContent()).toMatch(/MQTT broker✗ Waiting to try again/);
    const error = page.getByRole("region", { name: "Last error" });
    await error.getByText(/the broker at 127\.0\.0\.1:\d+ cannot be reached/).waitFor();
    await error.getByText(/It is tried again by itself, soon\./).waitFor();
  });

  test("news come by themselves, and a name stays a name", async () => {
    await using visitor = await open();
    const { page } = visitor;
    await cardOf(page, HOSTILE).waitFor();
    await page.evaluate("window.wasHere = true");
    const other = `<img src=x onerror="alert(2)">`;
    cloud.push(14_703, { details: { id: 14_703, name: other } });
    await cardOf(page, other).waitFor({ timeout: WAIT_MS });
    await cardOf(page, other).getByRole("button", { name: other }).click();
    await page.getByRole("region", { name: `The day of ${other}` }).waitFor();
    expect(await page.evaluate("window.wasHere")).toBe(true);
    expect(visitor.complaints).toEqual([]);
    cloud.push(14_703, { details: { id: 14_703, name: HOSTILE } });
  });

  test("Home Assistant may show it in its frame, and nobody else", async () => {
    const visitor = await visit(browser, ingress.frontend);
    await visitor.page
      .frameLocator("iframe")
      .getByRole("button", { name: "Mochi", exact: true })
      .waitFor({ timeout: WAIT_MS });
    await visitor.page.screenshot({ path: artifact("live-frame.png") });
    await visitor.close();
    // The same page, framed by another origin.
    const stranger = await visit(browser, ingress.frontend.replace("127.0.0.1", "localhost"));
    await stranger.page.setContent(`<iframe src="${ingress.url}"></iframe>`);
    await eventually(WAIT_MS, "the refusal", () =>
      Promise.resolve(stranger.complaints.some((text) => text.includes("frame-ancestors")) || undefined),
    );
    await stranger.close();
  });

  test.each([NEIGHBOUR, "127.0.0.1", "127.0.0.2"])("a request from %s gets a sentence instead", async (from) => {
    for (const path of ["", "api/bridge", "icon.svg", "nothing"]) {
      const headers = { "x-ingress-path": "/api/hassio_ingress/c0ffee", "x-forwarded-for": "172.30.32.2" };
      const { status, body } = await ask(`http://127.0.0.1:${port}/${path}`, { from, headers });
      expect([status, body]).toEqual([403, expect.stringMatching(/This page is served through Home Assistant alone/)]);
    }
    const health = await ask(`http://127.0.0.1:${port}/healthz`, { from });
    expect(health.status).toBe(from === NEIGHBOUR ? 403 : 200);
  });
});

function furnish(cloud: Cloud): void {
  cloud.addAccount(OWNER);
  const home = { posLat: 51.4, posLong: -1.084 };
  cloud.addHomeStation(OWNER.login, { id: 10_775, ...home, lastContact: hoursAgo(0), details: { name: "Kitchen" } });
  const at = (north: number, east: number, timeMeasure = hoursAgo(0)) => ({
    posLat: home.posLat + north / 111_195,
    posLong: home.posLong + east / 69_400,
    acc: 8,
    sat: 9,
    timeMeasure,
  });
  const pets = [
    { id: 14_701, name: "Mochi", color: 0xff912c, bat: 4_050, home: false, lastPos: at(70, 60), chg: 0 },
    { id: 14_702, name: "Biscuit", color: 0xa471f9, bat: 3_500, home: false, lastPos: at(-30, 90), chg: 0 },
    {
      id: 14_703,
      name: HOSTILE,
      color: 0x82e3b5,
      bat: 3_900,
      home: true,
      homeSince: hoursAgo(2),
      lastPos: at(2, 3, hoursAgo(3)),
      chg: 1,
    },
    {
      id: 14_704,
      name: "Sir Reginald Fluffington the Third of Whiskershire-upon-Meow",
      color: 0x24b8f8,
      bat: 3_800,
      home: false,
      lastPos: at(20, -80),
      chg: 0,
    },
  ];
  for (const { id, name, color, ...rest } of pets) {
    cloud.addImage(`img${id}`, catPicture(color), "image/png");
    const details = { id, name, color, img: `img${id}` };
    cloud.addCollar(OWNER.login, {
      id,
      mode: 2,
      modeSet: 2,
      lastContact: hoursAgo(0),
      lastRssi: -40,
      ...rest,
      details,
    });
  }
  const way = Array.from({ length: 60 }, (_, step) => {
    const angle = step / 7;
    return at(15 + step + 22 * Math.sin(angle * 2.3), 80 * Math.cos(angle) - step / 3, hoursAgo(6 - step / 11));
  });
  cloud.addPositions(14_701, way);
}

/** As in the app; and with a broker that does not exist, so that there is something to tell. */
function configuration({ portalUrl, streamUrl }: Cloud, port: number, brokerPort: number): object {
  return {
    pettracer: { username: OWNER.login, password: OWNER.password, portal_url: portalUrl, stream_url: streamUrl },
    mqtt: { url: `mqtt://127.0.0.1:${brokerPort}` },
    live: { host: "0.0.0.0", port, ingress: true },
  };
}
