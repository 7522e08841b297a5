/** The words of the status page, and that nothing which comes from outside is more than a word. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Component } from "../../src/model/device.ts";
import { html } from "../../src/publishers/live/html.ts";
import { pageOf } from "../../src/publishers/live/page.ts";
import { SCRIPT } from "../../src/publishers/live/script.ts";
import { statusOf } from "../../src/publishers/live/status.ts";
import { preferredLanguage } from "../../src/publishers/live/texts.ts";
import { NOON } from "../support/arbitraries.ts";
import { type Cat, createCat } from "../support/cat.ts";

function page(cat: Cat, language: "en" | "de" = "en"): string {
  return pageOf(statusOf(cat.store.state), language);
}

function tell(cat: Cat, component: Partial<Component>): void {
  cat.dispatch({
    type: "componentChanged",
    component: { role: "publisher", name: "mqtt", state: "running", sinceAt: NOON, ...component },
  });
}

test.each<[string | undefined, "en" | "de"]>([
  [undefined, "en"],
  ["", "en"],
  ["de", "de"],
  ["de-AT,de;q=0.9,en;q=0.8", "de"],
  ["en-GB,en;q=0.9,de;q=0.8", "en"],
  ["fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "en"],
  ["fr, de;q=0.5", "de"],
  ["en;q=0.1, de;q=0.2", "de"],
  ["de;q=0", "en"],
  ["DE-de", "de"],
  ["den", "en"],
  ["de;q=high", "en"],
])("who accepts %j reads %s", (accepted, language) => {
  expect(preferredLanguage(accepted)).toBe(language);
});

test("the template escapes values, and takes out what no document may hold", () => {
  expect(html`<a title="${`"'<&>`}">${"a\0b\u202ec"}</a>${[html`<b>`, html`${1}`]}`.text).toBe(
    '<a title="&quot;&#39;&lt;&amp;&gt;">a b c</a><b>1',
  );
});

const HOSTILE = `<script>alert("1")</script><img src=x onerror='alert(2)'>&amp;`;

test("a pet's name, an error and a detail are text, whatever stands in them", () => {
  const cat = createCat({ name: HOSTILE });
  tell(cat, { state: "waiting", error: HOSTILE });
  tell(cat, { name: HOSTILE, details: { [HOSTILE]: HOSTILE } });
  const text = page(cat);
  expect(text).not.toMatch(/<img src=x|<script>|alert\("|&amp;(?!amp;|lt;|gt;|quot;|#39;)(?=<)/);
  expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThanOrEqual(5);
});

test("any name leaves the page's structure as it is", () => {
  const tags = (text: string): string[] => text.match(/<\/?[a-z0-9!]+/g) ?? [];
  const plain = tags(page(createCat({ name: "Oreo" })));
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), (name) => {
      expect(tags(page(createCat({ name })))).toEqual(plain);
    }),
  );
});

test("the policy needs no exception: no script, style or handler stands in the page, and each address is relative", () => {
  const text = page(createCat({ name: "Oreo" }));
  expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?! src="script\.js" defer><\/script>)/);
  const addresses = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
  expect(new Set(addresses)).toEqual(new Set(["icon.svg", "style.css", "script.js"]));
  expect([...SCRIPT.matchAll(/fetch\("([^"]*)"/g)].map(([, address]) => address)).toEqual(["api/status"]);
});

describe("the page tells", () => {
  test("of a pet: battery, contact, position, home", () => {
    const fix = { latitude: 51.4, longitude: -1.08, measuredAt: NOON - 60_000 };
    const text = page(
      createCat({ name: "Oreo", batteryMv: 4_000, charging: true, home: true, lastContactAt: NOON, fix }),
    );
    expect(text).toContain("<bdi>Oreo</bdi>");
    expect(text).toMatch(/data-label="At home"><div>Yes</);
    expect(text).toMatch(/data-label="Battery"><div>\d+ %, charging</);
    expect(text).toContain(`<time datetime="${new Date(NOON).toISOString().replace("Z", "+00:00")}">`);
    // Where it is, is nobody's business who only wants to know whether all works.
    expect(text).not.toContain("51.4");
  });

  test("of one that nothing is known of yet", () => {
    const text = page(createCat({}));
    expect(text).toMatch(/data-label="At home"><div>Unknown</);
    expect(text).toMatch(/data-label="Battery"><div>Unknown</);
    expect(text).toMatch(/data-label="Last position"><div>None yet</);
    expect(page(createCat())).toContain("No pets are known yet.");
  });

  test("of an error, with its remedy, and that it is over", () => {
    const cat = createCat({ name: "Oreo" });
    expect(page(cat)).toContain("Everything works.");
    expect(page(cat)).not.toContain("Last error");
    tell(cat, { state: "parked", error: "the login was refused" });
    expect(page(cat)).toContain("One part does not work.");
    expect(page(cat)).toMatch(
      /<p lang="en">the login was refused<\/p><p>Correct the configuration and restart Pawline\./,
    );
    tell(cat, { state: "waiting", error: "the broker cannot be reached" });
    expect(page(cat)).toMatch(/cannot be reached<\/p><p>It is tried again by itself/);
    tell(cat, {});
    expect(page(cat)).toContain("Everything works.");
    expect(page(cat)).toMatch(/cannot be reached<\/p><p>It is over/);
  });

  test("of each way out: its state, and what it has to say", () => {
    const cat = createCat({ name: "Oreo" });
    tell(cat, { name: "homeassistant", details: { route: "mqtt" } });
    expect(page(cat)).toMatch(/>Home Assistant<\/th>.*Works.*<span lang="en">route: mqtt</);
    tell(cat, { name: "another" });
    expect(page(cat)).toContain(">another</th>");
  });

  test("the same in German", () => {
    const cat = createCat({ name: "Oreo" });
    tell(cat, { state: "parked", error: "the login was refused" });
    const text = page(cat, "de");
    expect(text).toContain('<html lang="de">');
    expect(text).toMatch(/Ein Teil funktioniert nicht\..*Letzter Fehler.*Berichtige die Konfiguration/s);
    expect(text).toMatch(/data-label="Zu Hause"><div>Unbekannt</);
    expect(text).not.toMatch(/Unknown|Works|None yet|Last /);
  });
});
