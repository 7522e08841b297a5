/** The buttons of a cat. They move when the cloud's echo says so; until then, and when it fails, a sentence says it. */
import type { Control, Notice } from "../model/control.ts";
import type { ControlName, Texts } from "../texts/texts.ts";
import { element, setAttribute, setChildren, setShown, setText } from "./dom.ts";
import { icon } from "./icons.ts";

export interface ControlActions {
  readonly command: (control: Control) => void;
  readonly dismiss: (control: ControlName) => void;
}

interface Button {
  readonly element: HTMLElement;
  readonly show: (control: Control, isConnected: boolean) => void;
}

export interface Controls {
  readonly element: HTMLElement;
  readonly show: (name: string, controls: readonly Control[], notices: readonly Notice[], isConnected: boolean) => void;
}

export function createControls(texts: Texts, actions: ControlActions): Controls {
  const row = element("div", { class: "controls", role: "group" });
  const told = element("ul", { class: "notices" });
  const buttons = new Map<ControlName, Button>();
  const buttonOf = (name: ControlName): Button => {
    const known = buttons.get(name) ?? createButton(name, actions);
    buttons.set(name, known);
    return known;
  };
  return {
    element: element("div", { class: "control-panel" }, row, told),
    show(name, controls, notices, isConnected) {
      setAttribute(row, "aria-label", texts.controls.heading({ name }));
      setShown(row, controls.length > 0);
      for (const control of controls) buttonOf(control.name).show(control, isConnected);
      setChildren(
        row,
        controls.map((control) => buttonOf(control.name).element),
      );
      showNotices(told, notices, texts, actions);
    },
  };
}

function createButton(name: ControlName, actions: ControlActions): Button {
  const [label, note] = [element("span", { class: "label" }), element("span", { class: "note" })];
  const button = element("button", { type: "button", class: `control ${name}` }, icon(name), label, " ", note);
  let latest: Control | undefined;
  button.addEventListener("click", () => {
    // Not `disabled`: that would take the focus away from who has just pressed it.
    if (latest !== undefined && button.getAttribute("aria-disabled") !== "true") actions.command(latest);
  });
  return {
    element: button,
    show(control, isConnected) {
      latest = control;
      setText(label, control.label);
      setText(note, control.isPending ? "…" : control.note);
      if (control.name !== "find") {
        setAttribute(button, "role", "switch");
        setAttribute(button, "aria-checked", String(control.isOn === true));
      }
      setAttribute(button, "aria-busy", String(control.isPending));
      setAttribute(button, "aria-disabled", String(control.isPending || !isConnected));
    },
  };
}

/** Few and short-lived: those that are still there stay as they are. */
function showNotices(list: HTMLElement, notices: readonly Notice[], texts: Texts, actions: ControlActions): void {
  const key = (notice: Notice): string => `${notice.tone} ${notice.control ?? ""} ${notice.text}`;
  const old = new Map([...list.children].map((item) => [item.getAttribute("data-key"), item]));
  const items = notices.map((notice) => old.get(key(notice)) ?? noticeItem(notice, key(notice), texts, actions));
  setChildren(list, items);
  setShown(list, items.length > 0);
}

function noticeItem({ tone, text, control }: Notice, key: string, texts: Texts, actions: ControlActions): HTMLElement {
  const item = element("li", { class: `notice ${tone}`, "data-key": key }, element("span", {}, text));
  if (control !== undefined) {
    const dismiss = element(
      "button",
      { type: "button", class: "plain", "aria-label": texts.controls.dismiss },
      icon("close"),
    );
    dismiss.addEventListener("click", () => actions.dismiss(control));
    item.append(dismiss);
  }
  return item;
}
