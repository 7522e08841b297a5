/** The cats, by name; by account where there are several. It says all that the map shows. */
import type { ApiDevice } from "../../publishers/live/api/schema.ts";
import type { Group } from "../model/groups.ts";
import type { Texts } from "../texts/texts.ts";
import { type CardActions, type CardState, type CardView, createCard } from "./card.ts";
import { element, setChildren, setShown, setText } from "./dom.ts";

export interface ListActions {
  readonly card: (id: string) => CardActions;
  /** Asked for each card that is to be drawn. */
  readonly state: (device: ApiDevice) => CardState;
}

export interface List {
  readonly element: HTMLElement;
  /** All of it: after a snapshot, and when the cats or the filter have changed. */
  readonly showAll: (groups: readonly Group[], isFiltered: boolean) => void;
  /** One card; where it stands does not change. */
  readonly showOne: (device: ApiDevice) => void;
  readonly reveal: (id: string) => void;
}

export function createList(texts: Texts, actions: ListActions): List {
  const cards = new Map<string, CardView>();
  const boxes = new Map<string, HTMLElement>();
  const empty = element("p", { class: "empty" });
  const groupsBox = element("div", { class: "groups" });

  function cardOf(device: ApiDevice): HTMLElement {
    const card = cards.get(device.id) ?? createCard(texts, actions.card(device.id));
    cards.set(device.id, card);
    card.show(actions.state(device));
    return card.element;
  }

  function groupOf({ key, heading, devices }: Group): HTMLElement {
    const box = boxes.get(key) ?? createGroup(heading);
    boxes.set(key, box);
    const [title, list] = [box.querySelector(":scope > h3 > bdi"), box.lastElementChild];
    if (title !== null) setText(title, heading ?? "");
    if (list !== null) setChildren(list, devices.map(cardOf));
    return box;
  }

  return {
    element: element("div", {}, empty, groupsBox),
    showAll(groups, isFiltered) {
      const shown = groups.filter(({ devices }) => devices.length > 0);
      setChildren(groupsBox, shown.map(groupOf));
      setText(empty, isFiltered ? texts.list.nothingFound : texts.list.empty);
      setShown(empty, shown.length === 0);
      forgetOthers(cards, shown);
    },
    showOne(device) {
      cards.get(device.id)?.show(actions.state(device));
    },
    reveal(id) {
      cards.get(id)?.element.scrollIntoView({ block: "nearest" });
    },
  };
}

function createGroup(heading: string | undefined): HTMLElement {
  const list = element("ul", { class: "cards", role: "list" });
  return heading === undefined
    ? element("div", { class: "group" }, list)
    : element("div", { class: "group" }, element("h3", { class: "account" }, element("bdi", {}, heading)), list);
}

/** A card that is filtered out is made anew when it comes back. */
function forgetOthers(cards: Map<string, CardView>, groups: readonly Group[]): void {
  const shown = new Set(groups.flatMap(({ devices }) => devices.map(({ id }) => id)));
  for (const id of Array.from(cards.keys())) if (!shown.has(id)) cards.delete(id);
}
