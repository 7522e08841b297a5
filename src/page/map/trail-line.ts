/** A trail on the map: the way up to the chosen time in the cat's colour, the rest pale, what is unknown dashed. */
import { canvas, circleMarker, type LatLngTuple, type Map as LeafletMap, layerGroup, polyline } from "leaflet";
import { legsOf, type Spot, type Trail, until } from "../track/trail.ts";

export interface TrailLine {
  /** @param spot where the cat was at the chosen time; undefined while it is where it is now */
  readonly show: (trail: Trail | undefined, atMs: number, spot: Spot | undefined, color: string) => void;
}

const PANE = "trail";

export function createTrailLine(map: LeafletMap): TrailLine {
  map.createPane(PANE).style.zIndex = "350";
  // Thousands of positions are one picture, and not thousands of elements.
  const renderer = canvas({ pane: PANE, padding: 0.3 });
  const whole = layerGroup().addTo(map);
  const past = layerGroup().addTo(map);
  const here = layerGroup().addTo(map);
  let drawn: Trail | undefined;
  const style = { renderer, pane: PANE, interactive: false } as const;

  function draw(into: typeof whole, trail: Trail, color: string, opacity: number): void {
    into.clearLayers();
    for (const { spots, isGap } of legsOf(trail)) {
      const points = spots.map(({ latitude, longitude }): LatLngTuple => [latitude, longitude]);
      const dash = isGap ? { dashArray: "2 8" } : {};
      if (opacity === 1 && !isGap)
        into.addLayer(polyline(points, { ...style, color: casing(), weight: 5, opacity: 0.7 }));
      into.addLayer(polyline(points, { ...style, ...dash, color, weight: isGap ? 2 : 2.5, opacity }));
    }
    for (const { latitude, longitude } of trail.spots) {
      into.addLayer(
        circleMarker([latitude, longitude], {
          ...style,
          radius: 2.5,
          stroke: false,
          fillColor: color,
          fillOpacity: opacity,
        }),
      );
    }
  }

  return {
    show(trail, atMs, spot, color) {
      here.clearLayers();
      if (trail === undefined) {
        whole.clearLayers();
        past.clearLayers();
        drawn = undefined;
        return;
      }
      if (trail !== drawn) draw(whole, trail, color, 0.35);
      drawn = trail;
      draw(past, until(trail, atMs), color, 1);
      if (spot === undefined) return;
      const ring = { ...style, radius: 9, color: "#ffffff", weight: 3, fillColor: color, fillOpacity: 1 };
      here.addLayer(circleMarker([spot.latitude, spot.longitude], ring));
    },
  };
}

/** Sets the line off from the ground, and from itself where it crosses. */
function casing(): string {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "#000000" : "#ffffff";
}
