/** How Pawline itself is: accounts, home stations, ways out, and what went wrong last. */
import type { Health, Part, Tone } from "../model/health.ts";
import type { Texts } from "../texts/texts.ts";
import { element } from "./dom.ts";

export interface Status {
  readonly element: HTMLElement;
  readonly show: (health: Health) => void;
}

const SIGNS: Readonly<Record<Tone, string>> = { good: "✓", busy: "…", bad: "✗" };

export function createStatus({ health: texts }: Texts): Status {
  const box = element("div", { class: "status" });
  let shown = "";
  return {
    element: box,
    show(health) {
      // It changes seldom: it is written anew as a whole, and only then.
      const key = JSON.stringify(health);
      if (key === shown) return;
      shown = key;
      box.replaceChildren(
        element("p", { class: "summary" }, mark(health.tone, health.summary)),
        ...(health.lastError === undefined ? [] : [lastError(health.lastError, texts)]),
        ...section("accounts", texts.accounts, health.accounts),
        ...section("stations", texts.stations, health.stations),
        ...section("outputs", texts.outputs, health.outputs),
        element("p", { class: "about" }, health.running, " · ", element("a", { href: "LICENSES.txt" }, texts.licenses)),
      );
    },
  };
}

function lastError({ sentence, remedy }: NonNullable<Health["lastError"]>, texts: Texts["health"]): HTMLElement {
  const heading = element("h3", { id: "last-error" }, texts.lastError);
  const said = element("p", { lang: "en" }, sentence);
  return element(
    "section",
    { class: "part", "aria-labelledby": "last-error" },
    heading,
    said,
    element("p", {}, remedy),
  );
}

function section(id: string, heading: string, parts: readonly Part[]): HTMLElement[] {
  if (parts.length === 0) return [];
  const title = element("h3", { id: `status-${id}` }, heading);
  return [element("section", { "aria-labelledby": `status-${id}` }, title, ...parts.map(partItem))];
}

function partItem({ name, tone, state, details, sentences }: Part): HTMLElement {
  const rows = details.map(({ label, text }) => element("div", {}, element("dt", {}, label), element("dd", {}, text)));
  return element(
    "div",
    { class: "part" },
    element("p", { class: "part-head" }, element("bdi", {}, name), mark(tone, state)),
    ...sentences.map((sentence) => element("p", { class: "more", lang: "en" }, sentence)),
    ...(rows.length === 0 ? [] : [element("dl", {}, ...rows)]),
  );
}

/** A word with a sign and a colour; the word alone says it all. */
function mark(tone: Tone, text: string): HTMLElement {
  return element(
    "span",
    { class: `mark ${tone}` },
    element("span", { "aria-hidden": "true" }, SIGNS[tone]),
    ` ${text}`,
  );
}
