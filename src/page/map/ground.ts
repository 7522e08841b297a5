/** The ground without a street map: a grid in metres, and rings around each home. It is drawn here and asks nobody. */
import { circle, divIcon, type LatLngBounds, type Map as LeafletMap, layerGroup, marker, polyline } from "leaflet";
import { element } from "../view/dom.ts";
import { linesIn, stepM } from "./metres.ts";

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

export interface Ground {
  /** The homes around which rings are drawn. */
  readonly setHomes: (homes: readonly Place[]) => void;
  readonly setShown: (isShown: boolean) => void;
}

const PANE = "ground";
const GRID_PIXELS = 70;
const RING_PIXELS = 85;
const RINGS = [1, 2, 3, 4];
/** More homes than this, and the rings would say nothing. */
const MOST_HOMES = 3;

/** @param distance how the reader writes metres */
export function createGround(map: LeafletMap, distance: (meters: number) => string): Ground {
  map.createPane(PANE).style.zIndex = "150";
  const layers = layerGroup().addTo(map);
  let homes: readonly Place[] = [];
  let isShown = true;
  let drawn = "";

  function draw(): void {
    const bounds = map.getBounds().pad(0.5);
    const origin = homes[0] ?? centreOf(map);
    const grid = stepM(metersPerPixel(map), GRID_PIXELS);
    const key = JSON.stringify([isShown, homes, grid, bounds.toBBoxString()]);
    if (key === drawn) return;
    drawn = key;
    layers.clearLayers();
    if (!isShown) return;
    for (const line of gridOf(bounds, origin, grid)) layers.addLayer(line);
    const ring = stepM(metersPerPixel(map), RING_PIXELS);
    for (const home of homes.slice(0, MOST_HOMES)) for (const count of RINGS) drawRing(home, count * ring);
  }

  function drawRing(home: Place, radius: number): void {
    const at: [number, number] = [home.latitude, home.longitude];
    const ring = circle(at, { pane: PANE, radius, className: "ring", interactive: false, fill: false });
    layers.addLayer(ring);
    const label = element("span", { class: "ring-label", "aria-hidden": "true" }, distance(radius));
    const north: [number, number] = [home.latitude + radius / 111_195, home.longitude];
    const icon = divIcon({ html: label, className: "", iconSize: [0, 0] });
    layers.addLayer(marker(north, { pane: PANE, icon, interactive: false, keyboard: false }));
  }

  map.on("moveend", draw);
  return {
    setHomes(next) {
      homes = next;
      if (hasView(map)) draw();
    },
    setShown(next) {
      isShown = next;
      if (hasView(map)) draw();
    },
  };
}

function gridOf(bounds: LatLngBounds, origin: Place, step: number) {
  const [south, north, west, east] = [bounds.getSouth(), bounds.getNorth(), bounds.getWest(), bounds.getEast()];
  const { latitudes, longitudes } = linesIn({ south, north, west, east }, origin, step);
  const across = latitudes.map((at): [number, number][] => [
    [at, west],
    [at, east],
  ]);
  const along = longitudes.map((at): [number, number][] => [
    [south, at],
    [north, at],
  ]);
  return [polyline([...across, ...along], { pane: PANE, className: "grid", interactive: false, noClip: true })];
}

function centreOf(map: LeafletMap): Place {
  const { lat, lng } = map.getCenter();
  return { latitude: Math.round(lat * 100) / 100, longitude: Math.round(lng * 100) / 100 };
}

function metersPerPixel(map: LeafletMap): number {
  const { lat } = map.getCenter();
  return (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / 2 ** (map.getZoom() + 8);
}

function hasView(map: LeafletMap): boolean {
  return !Number.isNaN(map.getZoom()) && map.getZoom() !== undefined;
}
