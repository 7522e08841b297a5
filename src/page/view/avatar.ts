/** A cat's face: its photo, or its initial on its colour. */
import type { Card } from "../model/card.ts";
import { element, setAttribute, setShown } from "./dom.ts";

export interface Avatar {
  readonly element: HTMLElement;
  readonly show: (card: Pick<Card, "photo" | "initial" | "color" | "ink">) => void;
}

export function createAvatar(): Avatar {
  // The name stands beside it.
  const picture = element("img", { alt: "", hidden: true, draggable: "false", decoding: "async" });
  const face = element("span", { class: "avatar", "aria-hidden": "true" }, picture);
  let shown: string | null = null;
  picture.addEventListener("load", () => setShown(picture, true));
  picture.addEventListener("error", () => setShown(picture, false));
  return {
    element: face,
    show({ photo, initial, color, ink }) {
      // Drawn by the style: for whoever reads along, the name is all.
      setAttribute(face, "data-initial", initial);
      face.style.setProperty("--cat", color);
      face.style.setProperty("--ink", ink);
      if (photo === shown) return;
      shown = photo;
      if (photo === null) {
        setShown(picture, false);
        picture.removeAttribute("src");
      } else picture.src = photo;
    },
  };
}
