/** A cat on the map: its face, its name, and how exact its place is. */
import { circle, divIcon, type Map as LeafletMap, marker } from "leaflet";
import type { ApiPosition } from "../../publishers/live/api/schema.ts";
import type { Card } from "../model/card.ts";
import { createAvatar } from "../view/avatar.ts";
import { element, setAttribute, setText } from "../view/dom.ts";
import type { Offset } from "./spread.ts";

export interface CatMarker {
  readonly show: (card: Card, position: ApiPosition, isSelected: boolean) => void;
  /** Beside its place, by so many pixels. */
  readonly move: (offset: Offset) => void;
  readonly remove: () => void;
}

const SIZE = 44;

export function createCatMarker(map: LeafletMap, select: () => void): CatMarker {
  const avatar = createAvatar();
  const name = element("bdi");
  const face = element("div", { class: "cat" }, avatar.element, element("span", { class: "cat-name" }, name));
  const icon = divIcon({
    html: face,
    className: "cat-marker",
    iconSize: [SIZE, SIZE],
    iconAnchor: [SIZE / 2, SIZE / 2],
  });
  const spot = marker([0, 0], { icon, riseOnHover: true });
  const exactness = circle([0, 0], { radius: 0, className: "exactness", interactive: false });
  spot.on("click", select);
  spot.on("keypress", ({ originalEvent }: { originalEvent: KeyboardEvent }) => {
    if (originalEvent.key === "Enter" || originalEvent.key === " ") select();
  });
  let isAdded = false;

  return {
    show(card, { latitude, longitude, gps_accuracy: accuracyM, source }, isSelected) {
      spot.setLatLng([latitude, longitude]);
      exactness.setLatLng([latitude, longitude]).setRadius(accuracyM ?? 0);
      spot.setZIndexOffset(isSelected ? 1_000 : 0);
      if (!isAdded) {
        isAdded = true;
        exactness.addTo(map);
        spot.addTo(map);
      }
      avatar.show(card);
      setText(name, card.name);
      face.style.setProperty("--cat", card.color);
      face.classList.toggle("is-live", card.isLive);
      face.classList.toggle("is-home", source === "station");
      face.classList.toggle("is-selected", isSelected);
      const path = exactness.getElement();
      if (path instanceof SVGElement) path.style.setProperty("--cat", card.color);
      const button = spot.getElement();
      if (button !== undefined) setAttribute(button, "aria-label", `${card.name}: ${card.place}`);
    },
    move({ x, y }) {
      face.style.setProperty("translate", `${x}px ${y}px`);
    },
    remove() {
      isAdded = false;
      spot.remove();
      exactness.remove();
    },
  };
}
