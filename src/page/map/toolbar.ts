/** The map's own buttons, and the question that comes before a street map. */
import type { Texts } from "../texts/texts.ts";
import { element, setAttribute } from "../view/dom.ts";
import { type IconName, icon } from "../view/icons.ts";

export interface ToolbarActions {
  readonly zoom: (by: 1 | -1) => void;
  readonly showAll: () => void;
  readonly turnTiles: (isOn: boolean) => void;
}

export interface Toolbar {
  readonly element: HTMLElement;
  readonly showTiles: (isOn: boolean) => void;
}

/** @param tileHost undefined where there is no street map to be had */
export function createToolbar(
  texts: Texts["mapTools"],
  tileHost: string | undefined,
  actions: ToolbarActions,
): Toolbar {
  const tiles = button("tiles", texts.tiles, () => pressTiles());
  const question = createQuestion(texts, tileHost ?? "", () => actions.turnTiles(true));
  const pressTiles = (): void => {
    if (tiles.getAttribute("aria-pressed") === "true") actions.turnTiles(false);
    else question.showModal();
  };
  const box = element(
    "div",
    { class: "toolbar" },
    button("plus", texts.zoomIn, () => actions.zoom(1)),
    button("minus", texts.zoomOut, () => actions.zoom(-1)),
    button("all", texts.showAll, actions.showAll),
    ...(tileHost === undefined ? [] : [tiles, question]),
  );
  return { element: box, showTiles: (isOn) => setAttribute(tiles, "aria-pressed", String(isOn)) };
}

function createQuestion(texts: Texts["mapTools"], host: string, accepted: () => void): HTMLDialogElement {
  const no = element("button", { class: "button", value: "no" }, texts.tilesDecline);
  const yes = element("button", { class: "button primary", value: "yes" }, texts.tilesAccept);
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "tiles-heading" }, texts.tilesHeading),
    element("p", { id: "tiles-sentence" }, texts.tilesReveal({ host })),
    element("div", { class: "buttons" }, no, yes),
  );
  const question = element(
    "dialog",
    { "aria-labelledby": "tiles-heading", "aria-describedby": "tiles-sentence" },
    form,
  );
  question.addEventListener("close", () => {
    if (question.returnValue === "yes") accepted();
    question.returnValue = "";
  });
  return question;
}

function button(name: IconName, label: string, pressed: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", "aria-label": label, title: label }, icon(name));
  made.addEventListener("click", pressed);
  return made;
}
