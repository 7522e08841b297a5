/** The map: where the cats and the home stations are, and the trail of one of them. The list says the same in words. */
import { control, map as createLeafletMap, type LatLngTuple, type Map as LeafletMap, latLngBounds } from "leaflet";
import type { ApiDevice } from "../../publishers/live/api/schema.ts";
import type { Card } from "../model/card.ts";
import type { Words } from "../model/words.ts";
import type { Texts } from "../texts/texts.ts";
import { element, setShown } from "../view/dom.ts";
import { type CatMarker, createCatMarker } from "./cat-marker.ts";
import { createGround, type Place } from "./ground.ts";
import { spread } from "./spread.ts";
import { createStations } from "./stations.ts";
import { createTiles, type TileSource } from "./tiles.ts";
import { createToolbar } from "./toolbar.ts";
import { createTrailLine, type TrailLine } from "./trail-line.ts";

export interface CatMap {
  readonly element: HTMLElement;
  readonly showCat: (device: ApiDevice, card: Card, isSelected: boolean) => void;
  /** Takes away all others. */
  readonly keepCats: (ids: ReadonlySet<string>) => void;
  readonly showStations: (stations: readonly ApiDevice[]) => void;
  readonly trail: TrailLine;
  /** Brings places into view, where they are not yet. */
  readonly reveal: (places: readonly Place[]) => void;
}

interface Needs {
  readonly texts: Texts;
  readonly words: Words;
  readonly tiles: TileSource | undefined;
  readonly select: (id: string) => void;
}

const CLOSEST = 21;
/** So close are cats shown that are all in one place. */
const USUAL_ZOOM = 18;
/** With more cats than this their names would be all that one sees. */
const CROWD = 40;
const WHOLE_WORLD: LatLngTuple = [30, 10];

export function createMap({ texts, words, tiles: source, select }: Needs): CatMap {
  const canvas = element("div", { class: "map", role: "group", "aria-label": texts.map });
  const empty = element("p", { class: "map-empty" }, texts.mapTools.noPosition);
  const map = createLeaflet(canvas);
  const ground = createGround(map, words.distance);
  const stations = createStations(map);
  const trail = createTrailLine(map);
  const cats = new Map<string, CatMarker>();
  const places = new Map<string, LatLngTuple>();
  /** Of the cats that a station hears: which one, by its place. */
  const seats = new Map<string, string>();
  let homes: readonly LatLngTuple[] = [];
  let isSettled = false;

  function showAll(): void {
    const all = [...places.values(), ...homes];
    if (all.length > 0)
      map.fitBounds(latLngBounds(all), { maxZoom: USUAL_ZOOM, padding: [60, 60], animate: !isCalm() });
  }

  /** The first time that there is something to show, all of it is shown; from then on the reader decides. */
  function settle(): void {
    setShown(empty, places.size + homes.length === 0);
    if (isSettled || places.size === 0 || map.getSize().x === 0) return;
    isSettled = true;
    showAll();
  }

  function forget(id: string): void {
    cats.get(id)?.remove();
    cats.delete(id);
    places.delete(id);
    seat(id, undefined);
  }

  /** Who comes home or leaves has those who are there move up. */
  function seat(id: string, next: string | undefined): void {
    const before = seats.get(id);
    if (before === next) return;
    if (next === undefined) seats.delete(id);
    else seats.set(id, next);
    cats.get(id)?.move({ x: 0, y: 0 });
    for (const at of [before, next]) if (at !== undefined) arrange(at);
  }

  function arrange(at: string): void {
    const sitting = [...seats].filter(([, place]) => place === at).map(([id]) => id);
    for (const [index, offset] of spread(sitting.length).entries()) cats.get(sitting[index] ?? "")?.move(offset);
  }

  const toolbar = createTools({ map, texts, source, showAll, canvas, setGround: ground.setShown });
  new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    settle();
  }).observe(canvas);
  return {
    element: element("div", { class: "map-box" }, canvas, empty, toolbar),
    trail,
    showCat(device, card, isSelected) {
      if (device.position === null) return forget(device.id);
      const shown = cats.get(device.id) ?? createCatMarker(map, () => select(device.id));
      cats.set(device.id, shown);
      places.set(device.id, [device.position.latitude, device.position.longitude]);
      shown.show(card, device.position, isSelected);
      seat(device.id, device.position.source === "station" ? placeKey(device.position) : undefined);
      canvas.classList.toggle("crowded", cats.size > CROWD);
      settle();
    },
    keepCats(ids) {
      for (const id of Array.from(cats.keys())) if (!ids.has(id)) forget(id);
      settle();
    },
    showStations(all) {
      stations.show(all);
      const known = all.flatMap(({ position }) => (position === null ? [] : [position]));
      homes = known.map(({ latitude, longitude }): LatLngTuple => [latitude, longitude]);
      ground.setHomes(known);
      settle();
    },
    reveal(all) {
      if (all.length === 0) return;
      const bounds = latLngBounds(all.map(({ latitude, longitude }): LatLngTuple => [latitude, longitude]));
      if (map.getBounds().pad(-0.05).contains(bounds)) return;
      map.flyToBounds(bounds, {
        maxZoom: Math.max(map.getZoom(), USUAL_ZOOM),
        padding: [40, 40],
        duration: 0.5,
        animate: !isCalm(),
      });
    },
  };
}

function placeKey({ latitude, longitude }: Place): string {
  return `${latitude} ${longitude}`;
}

function createLeaflet(canvas: HTMLElement): LeafletMap {
  const moves = !isCalm();
  const map = createLeafletMap(canvas, {
    zoomControl: false,
    attributionControl: false,
    minZoom: 3,
    maxZoom: CLOSEST,
    zoomSnap: 0.5,
    zoomAnimation: moves,
    fadeAnimation: moves,
    markerZoomAnimation: moves,
    inertia: moves,
  });
  control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  return map.setView(WHOLE_WORLD, 3, { animate: false });
}

interface ToolNeeds {
  readonly map: LeafletMap;
  readonly texts: Texts;
  readonly source: TileSource | undefined;
  readonly canvas: HTMLElement;
  readonly showAll: () => void;
  readonly setGround: (isShown: boolean) => void;
}

function createTools({ map, texts, source, canvas, showAll, setGround }: ToolNeeds): HTMLElement {
  const credit = control.attribution({ prefix: false, position: "bottomright" });
  const showTiles = (isOn: boolean): void => {
    setGround(!isOn);
    canvas.classList.toggle("has-tiles", isOn);
    if (isOn) credit.addTo(map);
    else credit.remove();
  };
  const tiles = source && createTiles(map, source, showTiles);
  const toolbar = createToolbar(texts.mapTools, tiles?.host, {
    zoom: (by) => void map.setZoom(map.getZoom() + by, { animate: !isCalm() }),
    showAll,
    turnTiles(isOn) {
      tiles?.turn(isOn);
      toolbar.showTiles(isOn);
    },
  });
  toolbar.showTiles(tiles?.isOn === true);
  return toolbar.element;
}

/** Whether the reader wants as little motion as possible. */
function isCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
