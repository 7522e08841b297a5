/** The page's frame: what stands where. */
import type { Texts } from "../texts/texts.ts";
import { element } from "./dom.ts";
import { createTabs, type Tabs } from "./tabs.ts";

/** What is there whether or not there is anything to show. */
export interface Frame {
  readonly sign: HTMLElement;
  readonly banner: HTMLElement;
  readonly signIn: HTMLElement;
  readonly signOut: HTMLElement;
  readonly announcer: HTMLElement;
}

export interface Parts {
  readonly list: HTMLElement;
  readonly events: HTMLElement;
  readonly status: HTMLElement;
  readonly map: HTMLElement;
  readonly trail: HTMLElement;
}

export interface Shell {
  /** Hidden until there is something to show. */
  readonly content: HTMLElement;
  readonly tabs: Tabs;
}

export function createShell(texts: Texts, frame: Frame, parts: Parts): Shell {
  const tabs = createTabs(texts.views, [
    { id: "pets", label: texts.pets, content: parts.list },
    { id: "events", label: texts.events, content: parts.events },
    { id: "status", label: texts.status, content: parts.status },
  ]);
  const side = element("section", { class: "side", "aria-label": texts.views }, tabs.element);
  const stage = element("section", { class: "stage", "aria-label": texts.map }, parts.map, parts.trail);
  const content = element("div", { class: "content", hidden: true }, side, stage);
  const logo = element("img", { src: "icon.svg", alt: "", width: 32, height: 32 });
  const header = element("header", { class: "top" }, logo, element("h1", {}, "Pawline"), frame.sign, frame.signOut);
  const main = element("main", {}, frame.signIn, content);
  document.body.append(header, frame.banner, main, frame.announcer);
  return { content, tabs };
}
