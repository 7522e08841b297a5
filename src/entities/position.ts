/** Where a cat is, and how far that is from home. */
import type { Collar, StationLink } from "../model/device.ts";
import { timestamp, type View } from "./entity.ts";

/** The message on a collar's position topic; Home Assistant takes it as the attributes of its tracker. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  /** Metres. */
  readonly gps_accuracy: number;
  /** ISO 8601: when the fix was measured, or since when the station has heard the collar. */
  readonly measured_at: string | null;
  readonly satellites?: number;
  readonly source: "gps" | "station";
}

/** A home station hears a collar in and around the house: about as far as a zone is wide. */
const STATION_ACCURACY_M = 25;
/** Where a fix comes without its accuracy: that of an ordinary GPS receiver. */
const USUAL_ACCURACY_M = 20;
const EARTH_RADIUS_M = 6_371_008.8;

/** The position to show; undefined until there is one. */
export function positionOf(collar: Collar, view: View): Position | undefined {
  const home = homeOf(collar, view);
  if (home !== undefined && stationSpeaks(collar, view)) {
    const { latitude, longitude } = home;
    return {
      latitude,
      longitude,
      gps_accuracy: STATION_ACCURACY_M,
      measured_at: timestamp(collar.homeSinceAt),
      source: "station",
    };
  }
  if (collar.fix === undefined) return undefined;
  const { latitude, longitude, accuracyM = USUAL_ACCURACY_M, measuredAt, satellites } = collar.fix;
  return {
    latitude,
    longitude,
    gps_accuracy: accuracyM,
    measured_at: timestamp(measuredAt),
    ...(satellites !== undefined && { satellites }),
    source: "gps",
  };
}

/** While the station has heard it since after the last fix, the station knows better. */
function stationSpeaks(collar: Collar, view: View): boolean {
  if (view.preferredPosition !== "station" || collar.atHome !== true) return false;
  return collar.fix === undefined || (collar.homeSinceAt ?? 0) > collar.fix.measuredAt;
}

/** The coordinates of the collar's home station, as the collar's own report or the station's has them. */
export function homeOf(collar: Collar, view: View): Required<Pick<StationLink, "latitude" | "longitude">> | undefined {
  const { station } = collar;
  if (station === undefined || station === null) return undefined;
  const listed = view.state.get(station.key);
  const { latitude, longitude } = listed?.kind === "homeStation" && listed.latitude !== undefined ? listed : station;
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}

/** From its home station to where it is shown, whole metres; null while either is unknown. */
export function distanceFromHome(collar: Collar, view: View): number | null {
  const [home, position] = [homeOf(collar, view), positionOf(collar, view)];
  return home && position ? Math.round(haversineM(home, position)) : null;
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** Metres between two points on a sphere (the haversine formula): exact to half a percent. */
function haversineM(a: Point, b: Point): number {
  const radians = Math.PI / 180;
  const [latitudeA, latitudeB] = [a.latitude * radians, b.latitude * radians];
  const half = (angle: number): number => Math.sin(angle / 2) ** 2;
  const h =
    half(latitudeB - latitudeA) +
    Math.cos(latitudeA) * Math.cos(latitudeB) * half((b.longitude - a.longitude) * radians);
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}
