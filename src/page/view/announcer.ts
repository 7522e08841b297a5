/** Says to a screen reader what became of its reader's own commands, and nothing else: cats move all the time. */
import { element } from "./dom.ts";

export interface Announcer {
  readonly element: HTMLElement;
  readonly say: (sentence: string) => void;
}

export function createAnnouncer(): Announcer {
  const box = element("div", { class: "unseen", "aria-live": "polite", id: "announcer" });
  return {
    element: box,
    // A new element is read even where the sentence is the one before.
    say: (sentence) => box.replaceChildren(element("p", {}, sentence)),
  };
}
