/** A cat in the list: everything that the map shows of it, in words, and its controls. */
import type { Card } from "../model/card.ts";
import type { Control, Notice } from "../model/control.ts";
import type { Texts } from "../texts/texts.ts";
import { createAvatar } from "./avatar.ts";
import { type ControlActions, createControls } from "./controls.ts";
import { element, setAttribute, setChildren, setShown, setText } from "./dom.ts";
import { createBattery, createSignal } from "./gauges.ts";
import { icon } from "./icons.ts";

export interface CardState {
  readonly card: Card;
  readonly isSelected: boolean;
  readonly controls: readonly Control[];
  readonly notices: readonly Notice[];
  /** Whether a command could reach anybody now. */
  readonly isConnected: boolean;
}

export interface CardView {
  readonly element: HTMLLIElement;
  readonly show: (state: CardState) => void;
  readonly focus: () => void;
}

export interface CardActions extends ControlActions {
  readonly select: () => void;
}

export function createCard(texts: Texts, actions: CardActions): CardView {
  const avatar = createAvatar();
  const name = element("bdi");
  const details = element("dl", { class: "details", hidden: true });
  const select = element("button", { type: "button", class: "name", "aria-expanded": "false" }, name, icon("chevron"));
  const live = element("span", { class: "live-sign" }, texts.mapTools.live);
  const place = element("p", { class: "place" });
  const trouble = element("p", { class: "trouble" });
  const facts = createFacts(texts);
  const controls = createControls(texts, actions);
  const head = element("div", { class: "card-head" }, avatar.element);
  head.append(element("div", { class: "who" }, element("h3", {}, select, live), place, trouble));
  const item = element("li", { class: "card" }, head, facts.element, controls.element, details);
  // All of the head is as good a target as the name; the name is the one for the keyboard.
  head.addEventListener("click", (event) => {
    if (!(event.target instanceof Node && select.contains(event.target))) actions.select();
  });
  select.addEventListener("click", actions.select);

  return {
    element: item,
    focus: () => select.focus(),
    show({ card, isSelected, controls: all, notices, isConnected }) {
      item.dataset.device = card.id;
      item.classList.toggle("selected", isSelected);
      item.style.setProperty("--cat", card.color);
      avatar.show(card);
      setText(name, card.name);
      setAttribute(select, "aria-expanded", String(isSelected));
      setShown(live, card.isLive);
      setText(place, card.place);
      place.classList.toggle("home", card.isHome);
      setText(trouble, card.trouble);
      setShown(trouble, card.trouble !== "");
      facts.show(card);
      controls.show(card.name, all, notices, isConnected);
      setShown(details, isSelected);
      if (isSelected) showDetails(details, card);
    },
  };
}

function createFacts(texts: Texts): { readonly element: HTMLElement; show(card: Card): void } {
  const [battery, signal] = [createBattery(), createSignal()];
  const rows = {
    battery: fact(texts.facts.battery, battery.element),
    position: fact(texts.facts.position, icon("pin")),
    contact: fact(texts.facts.contact, icon("contact")),
    signal: fact(texts.facts.signal, signal.element),
  };
  const list = element("dl", { class: "facts" }, ...Object.values(rows).map(({ element: row }) => row));
  return {
    element: list,
    show(card) {
      setAttribute(rows.battery.element, "class", `fact ${card.battery.tone}`);
      rows.battery.show(card.battery.text);
      rows.position.show(card.position);
      rows.contact.show(card.contact);
      rows.signal.show(card.signal.text);
      battery.show(card.battery.percent);
      signal.show(card.signal.bars);
    },
  };
}

function fact(label: string, sign: SVGSVGElement): { readonly element: HTMLElement; show(text: string): void } {
  const value = element("dd");
  const row = element("div", { class: "fact" }, element("dt", {}, sign, label), value);
  return { element: row, show: (text) => setText(value, text) };
}

function showDetails(list: HTMLElement, { details }: Card): void {
  const rows = details.map(({ label, text }, index) => {
    const row = list.children[index] ?? element("div", {}, element("dt"), element("dd"));
    const [term, value] = row.children;
    if (term) setText(term, label);
    if (value) setText(value, text);
    return row;
  });
  setChildren(list, rows);
}
