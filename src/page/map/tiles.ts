/**
 * The street map, which is somebody else's: its pictures come from a server that is told what is looked at. So it is off
 * until the reader has read that sentence and said yes; the answer is kept in this browser, for this server alone.
 */
import { type Map as LeafletMap, tileLayer } from "leaflet";

export interface TileSource {
  /** With `{z}`, `{x}` and `{y}`. */
  readonly url: string;
  readonly attribution: string;
}

export interface Tiles {
  readonly host: string;
  readonly isOn: boolean;
  readonly turn: (isOn: boolean) => void;
}

const KEY = "pawline.street-map";
/** Finer ones are seldom drawn; closer than that, these are stretched. */
const FINEST = 19;

/** Where the pictures come from, as the server has put it into the page; undefined where they are not to be had. */
export function tileSource(): TileSource | undefined {
  const url = document.querySelector<HTMLMetaElement>('meta[name="pawline-tiles"]')?.content;
  const attribution = document.querySelector<HTMLMetaElement>('meta[name="pawline-tiles-attribution"]')?.content;
  return url === undefined || url === "" ? undefined : { url, attribution: attribution ?? "" };
}

export function createTiles(
  map: LeafletMap,
  { url, attribution }: TileSource,
  changed: (isOn: boolean) => void,
): Tiles {
  const host = new URL(url.replaceAll("{s}", "a").replace(/\{[^}]*\}/g, "0"), document.baseURI).host;
  const layer = tileLayer(url, {
    // What Leaflet takes for markup is a text of the configuration here.
    attribution: textOnly(attribution),
    maxNativeZoom: FINEST,
    maxZoom: 21,
    className: "tiles",
    // The operators of public tiles want to know which page shows them; more than its address they do not get.
    referrerPolicy: "origin",
  });
  let isOn = kept() === host;

  function apply(): void {
    if (isOn) layer.addTo(map);
    else layer.remove();
    changed(isOn);
  }

  apply();
  return {
    host,
    get isOn() {
      return isOn;
    },
    turn(next) {
      isOn = next;
      keep(isOn ? host : undefined);
      apply();
    },
  };
}

function textOnly(text: string): string {
  const box = document.createElement("span");
  box.textContent = text;
  return box.innerHTML;
}

/** A browser may have it forbidden; then the choice lasts as long as the page. */
function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(host: string | undefined): void {
  try {
    if (host === undefined) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, host);
  } catch {
    // Nothing is lost but the choice.
  }
}
