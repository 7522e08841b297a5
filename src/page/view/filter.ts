/** What narrows the list: the account where there are several, the name where there are many cats. */
import type { AccountName, Choice } from "../model/groups.ts";
import type { Texts } from "../texts/texts.ts";
import { element, setAttribute, setChildren, setShown } from "./dom.ts";

export interface Filter {
  readonly element: HTMLElement;
  readonly choice: Choice;
  readonly show: (accounts: readonly AccountName[], cats: number) => void;
}

/** Fewer can be looked over without it. */
const SEARCH_FROM = 10;

export function createFilter(texts: Texts, changed: () => void): Filter {
  let choice: Choice = { source: undefined, search: "" };
  const search = element("input", { type: "search", class: "search", autocomplete: "off", hidden: true });
  setAttribute(search, "aria-label", texts.list.search);
  setAttribute(search, "placeholder", texts.list.search);
  const accounts = element("div", { class: "chips", role: "group", "aria-label": texts.list.accounts, hidden: true });
  const chips = new Map<string, HTMLButtonElement>();

  function choose(next: Partial<Choice>): void {
    choice = { ...choice, ...next };
    for (const [source, chip] of chips) setAttribute(chip, "aria-pressed", String(source === (choice.source ?? "")));
    changed();
  }

  function chipOf(source: string, name: string): HTMLButtonElement {
    const known = chips.get(source);
    if (known !== undefined) return known;
    const chip = element("button", { type: "button", class: "chip" }, element("bdi", {}, name));
    setAttribute(chip, "aria-pressed", String(source === (choice.source ?? "")));
    chip.addEventListener("click", () => choose({ source: source === "" ? undefined : source }));
    chips.set(source, chip);
    return chip;
  }

  search.addEventListener("input", () => choose({ search: search.value }));
  return {
    element: element("div", { class: "filter" }, accounts, search),
    get choice() {
      return choice;
    },
    show(all, cats) {
      const wanted = all.length > 1 ? [{ source: "", name: texts.list.allAccounts }, ...all] : [];
      setChildren(
        accounts,
        wanted.map(({ source, name }) => chipOf(source, name)),
      );
      setShown(accounts, wanted.length > 0);
      setShown(search, cats >= SEARCH_FROM || choice.search !== "");
    },
  };
}
