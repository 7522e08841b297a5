/** The home stations on the map. */
import { divIcon, type Map as LeafletMap, layerGroup, marker } from "leaflet";
import type { ApiDevice } from "../../publishers/live/api/schema.ts";
import { element } from "../view/dom.ts";
import { icon } from "../view/icons.ts";

export interface Stations {
  readonly show: (stations: readonly ApiDevice[]) => void;
}

const SIZE = 30;

export function createStations(map: LeafletMap): Stations {
  const layer = layerGroup().addTo(map);
  let drawn = "";
  return {
    show(stations) {
      const key = JSON.stringify(stations.map(({ id, name, position }) => [id, name, position]));
      if (key === drawn) return;
      drawn = key;
      layer.clearLayers();
      for (const { name, position } of stations) {
        if (position === null) continue;
        const sign = element("div", { class: "station" }, icon("home"), element("span", {}, element("bdi", {}, name)));
        const drawing = divIcon({
          html: sign,
          className: "station-marker",
          iconSize: [SIZE, SIZE],
          iconAnchor: [SIZE / 2, SIZE / 2],
        });
        const at: [number, number] = [position.latitude, position.longitude];
        layer.addLayer(marker(at, { icon: drawing, interactive: false, keyboard: false, zIndexOffset: -1_000 }));
      }
    },
  };
}
