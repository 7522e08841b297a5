/** Tabs, by the pattern that screen readers know: arrows move between them, one of them is in the order of focus. */
import { element, setAttribute, setShown } from "./dom.ts";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly content: HTMLElement;
}

export interface Tabs {
  readonly element: HTMLElement;
  readonly open: (id: string) => void;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

export function createTabs(label: string, tabs: readonly Tab[]): Tabs {
  const buttons = tabs.map(({ id, label: name }) =>
    element("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}` }, name),
  );
  const panels = tabs.map(({ id, label: name, content }) => {
    const heading = element("h2", { class: "unseen" }, name);
    const about = { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, class: "panel" };
    return element("div", about, heading, content);
  });

  function open(index: number): void {
    for (const [at, button] of buttons.entries()) {
      setAttribute(button, "aria-selected", String(at === index));
      setAttribute(button, "tabindex", at === index ? "0" : "-1");
    }
    for (const [at, panel] of panels.entries()) setShown(panel, at === index);
  }

  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => open(index));
    button.addEventListener("keydown", ({ key }) => {
      const next = key === "Home" ? 0 : key === "End" ? tabs.length - 1 : index + (STEPS[key] ?? 0);
      const target = (next + tabs.length) % tabs.length;
      if (target === index) return;
      open(target);
      buttons[target]?.focus();
    });
  }
  open(0);
  const bar = element("div", { role: "tablist", class: "tabs", "aria-label": label }, ...buttons);
  return {
    element: element("div", { class: "tabbed" }, bar, ...panels),
    open: (id) => open(tabs.findIndex((tab) => tab.id === id)),
  };
}
