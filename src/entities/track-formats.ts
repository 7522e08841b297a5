/** The documents that a track can be written as. Pure; made of pieces, since a track may be long. */

import type { DatedFix } from "../model/device.ts";
import { timestamp } from "./entity.ts";

export interface TrackFormat {
  readonly head: (name: string) => string;
  readonly fix: (fix: DatedFix) => string;
  /** What stands between two fixes. */
  readonly between: string;
  readonly tail: string;
}

export const FORMATS = ["gpx", "geojson", "csv"] as const;
export type FormatName = (typeof FORMATS)[number];

/** https://www.topografix.com/GPX/1/1/: the order of elements is fixed there, and accuracy has none. */
const GPX: TrackFormat = {
  head: (name) =>
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<gpx version="1.1" creator="Pawline" xmlns="http://www.topografix.com/GPX/1/1" xmlns:pawline="urn:pawline:gpx:1">',
      "  <trk>",
      `    <name>${escapeXml(name)}</name>`,
      "    <trkseg>",
      "",
    ].join("\n"),
  fix: ({ latitude, longitude, measuredAt, satellites, accuracyM }) =>
    [
      `      <trkpt lat="${decimal(latitude)}" lon="${decimal(withinWorld(longitude))}">`,
      `<time>${new Date(measuredAt).toISOString()}</time>`,
      satellites === undefined ? "" : `<sat>${satellites}</sat>`,
      accuracyM === undefined
        ? ""
        : `<extensions><pawline:accuracy>${decimal(accuracyM)}</pawline:accuracy></extensions>`,
      "</trkpt>\n",
    ].join(""),
  between: "",
  tail: "    </trkseg>\n  </trk>\n</gpx>\n",
};

/** RFC 7946. A line could not carry the times of its points, and would have to be held in memory. */
const GEO_JSON: TrackFormat = {
  head: () => '{"type":"FeatureCollection","features":[\n',
  fix: ({ latitude, longitude, measuredAt, satellites = null, accuracyM = null }) =>
    JSON.stringify({
      type: "Feature",
      geometry: { type: "Point", coordinates: [longitude, latitude] },
      properties: { measured_at: timestamp(measuredAt), accuracy: accuracyM, satellites },
    }),
  between: ",\n",
  tail: "\n]}\n",
};

const CSV: TrackFormat = {
  head: () => "measured_at,latitude,longitude,accuracy,satellites\n",
  fix: ({ latitude, longitude, measuredAt, satellites = "", accuracyM = "" }) =>
    `${timestamp(measuredAt)},${decimal(latitude)},${decimal(longitude)},${accuracyM},${satellites}\n`,
  between: "",
  tail: "",
};

export const TRACK_FORMATS: Readonly<Record<FormatName, TrackFormat>> = { gpx: GPX, geojson: GEO_JSON, csv: CSV };

/** Without an exponent, which a decimal of XML may not have. */
function decimal(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(12) : text;
}

/** The 180th meridian has one name in GPX. */
function withinWorld(longitude: number): number {
  return longitude === 180 ? -180 : longitude;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text as XML 1.0 may hold it: some characters may not stand there in any form. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
