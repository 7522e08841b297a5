/** Elements from plain values. Whatever stands in a text is text; nothing here takes markup. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** true stands without a value, false and undefined not at all. */
export function setAttribute(target: Element, name: string, value: Attributes[string]): void {
  const text = value === undefined || value === false ? null : value === true ? "" : String(value);
  if (target.getAttribute(name) === text) return;
  if (text === null) target.removeAttribute(name);
  else target.setAttribute(name, text);
}

/** Writes only what has changed: a browser lays out, and a screen reader reads, what is written. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setShown(target: HTMLElement, isShown: boolean): void {
  if (target.hidden === isShown) target.hidden = !isShown;
}

/** Puts these children in this order, and moves none that is in its place. */
export function setChildren(target: Element, children: readonly Element[]): void {
  for (const old of Array.from(target.children)) if (!children.includes(old)) old.remove();
  for (const [index, child] of children.entries()) {
    if (target.children[index] !== child) target.insertBefore(child, target.children[index] ?? null);
  }
}

/** A sentence with a pet's name in it, which keeps its own direction of writing. */
export function sentenceWithName(sentence: string, name: string): Child[] {
  const [before = "", after = ""] = sentence.split("{name}");
  return [before, element("bdi", {}, name), after];
}
