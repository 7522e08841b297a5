/**
 * The account's devices as REST lists them. A device that is missing once is not gone: its entities would lose the ids
 * that the user gave them, so it has to be missing from the next listing, too.
 */
import { RecoverableError } from "../../lib/errors.ts";
import type { CollarReport, Product, StationReport } from "../../model/device.ts";
import type { ListedDevice } from "../../model/event.ts";
import { collarKey, type Decoded, decodeCollar, decodeStation, stationKey } from "./decode.ts";
import type { AccountOptions } from "./options.ts";
import type { OnOddField } from "./wire.ts";

export interface Listing {
  readonly collars: readonly ListedDevice<CollarReport>[];
  readonly stations: readonly ListedDevice<StationReport>[];
  /** Keys of devices that are in the listing only because they were in the one before. */
  readonly missing: ReadonlySet<string>;
  /** Keys of devices that the account has and the user does not want. */
  readonly unwanted: ReadonlySet<string>;
}

export const EMPTY_LISTING: Listing = { collars: [], stations: [], missing: new Set(), unwanted: new Set() };

const WEBSITE = "https://portal.pettracer.com";
const COLLAR: Product = { manufacturer: "PetTracer", model: "GPS collar", website: WEBSITE };
const STATION: Product = { manufacturer: "PetTracer", model: "Home station", website: WEBSITE };

/** Of either kind; no person has so many, and each costs memory and messages. */
const MOST_DEVICES = 2_000;

type Filter = Pick<AccountOptions, "include" | "exclude">;

/**
 * The answers to `getccs` and `gethomestations`, in the light of the listing before.
 * @throws RecoverableError when either is no list: then nothing is known of what is missing
 */
export function readListing(
  collars: unknown,
  stations: unknown,
  before: Listing,
  filter: Filter,
  odd: OnOddField,
): Listing {
  const allCollars = readAll(collars, "collars", (wire) => decodeCollar(wire, odd));
  const allStations = readAll(stations, "home stations", (wire) => decodeStation(wire, odd));
  const wantedCollars = allCollars.filter((collar) => isWanted(collar, filter));
  const homes = new Set(wantedCollars.map(({ report }) => report.station?.id));
  const wantedStations = allStations.filter((station) => isWantedStation(station, homes, filter));
  const named = {
    collars: wantedCollars.map(({ id, report }) => ({ key: collarKey(id), id, product: COLLAR, report })),
    stations: wantedStations.map(({ id, report }) => ({ key: stationKey(id), id, product: STATION, report })),
  };
  const everyKey = [...allCollars.map(({ id }) => collarKey(id)), ...allStations.map(({ id }) => stationKey(id))];
  const wantedKeys = new Set([...named.collars, ...named.stations].map(({ key }) => key));
  const unwanted = new Set(everyKey.filter((key) => !wantedKeys.has(key)));
  return withMissing(named, new Set(everyKey), before, unwanted);
}

function withMissing(
  { collars, stations }: Pick<Listing, "collars" | "stations">,
  present: ReadonlySet<string>,
  before: Listing,
  unwanted: ReadonlySet<string>,
): Listing {
  const isMissing = ({ key }: { readonly key: string }): boolean => !present.has(key) && !before.missing.has(key);
  const missingCollars = before.collars.filter(isMissing).map((collar) => ({ ...collar, report: {} }));
  const missingStations = before.stations.filter(isMissing).map((station) => ({ ...station, report: {} }));
  return {
    collars: [...collars, ...missingCollars],
    stations: [...stations, ...missingStations],
    missing: new Set([...missingCollars, ...missingStations].map(({ key }) => key)),
    unwanted,
  };
}

function readAll<Report>(
  wire: unknown,
  what: string,
  decode: (wire: unknown) => Decoded<Report> | undefined,
): Decoded<Report>[] {
  if (!Array.isArray(wire)) throw new RecoverableError(`PetTracer's answer is no list of ${what}`);
  return wire
    .slice(0, MOST_DEVICES)
    .map(decode)
    .filter((decoded) => decoded !== undefined);
}

function isWanted({ id, report }: Decoded<CollarReport | StationReport>, { include, exclude }: Filter): boolean {
  return (include.length === 0 || isNamed(id, report.name, include)) && !isNamed(id, report.name, exclude);
}

/** A home station comes along with its collars, unless the user does not want it. */
function isWantedStation(
  station: Decoded<StationReport>,
  homes: ReadonlySet<number | undefined>,
  filter: Filter,
): boolean {
  return (
    isWanted(station, filter) || (homes.has(station.id) && !isNamed(station.id, station.report.name, filter.exclude))
  );
}

function isNamed(id: number, name: string | undefined, list: readonly (string | number)[]): boolean {
  const names = [String(id), name?.trim().toLowerCase()];
  return list.some((entry) => names.includes(String(entry).trim().toLowerCase()));
}
