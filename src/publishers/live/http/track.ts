/** `/api/devices/{id}/track`: the way that a pet has gone, as it is kept here; the cloud is not asked. */
import { timestamp, type View } from "../../../entities/entity.ts";
import { deviceName, slug } from "../../../entities/name.ts";
import { TRACK_FORMATS, type TrackFormat } from "../../../entities/track-formats.ts";
import { RecoverableError } from "../../../lib/errors.ts";
import type { Collar, DatedFix } from "../../../model/device.ts";
import type { Span } from "../../../model/span.ts";
import type { Feed, KeptTrack } from "../../publisher.ts";
import { trackQuery } from "../api/requests.ts";
import type { ApiFix, ApiTrack } from "../api/schema.ts";
import { type Answer, entityTag } from "./answer.ts";
import { collarOf, findDevice } from "./devices.ts";
import type { Endpoint } from "./endpoint.ts";
import { RequestError } from "./problem.ts";
import { readQuery } from "./query.ts";

const DAY_MS = 86_400_000;
const LONGEST_MS = 31 * DAY_MS;

export function trackEndpoints(feed: Feed, view: View): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/api/devices/{id}/track",
      needs: "read",
      answer({ request, params, principal }) {
        const collar = collarOf(findDevice(params.id, principal, view));
        const { format, ...wanted } = readQuery(request.url ?? "", trackQuery);
        const span = spanOf(wanted, Date.now());
        const track = feed.track();
        if (track === undefined) throw NOT_KEPT;
        return answerOf({ collar, span, format, track });
      },
    },
  ];
}

/** @throws RequestError for a beginning behind the end, and for a span that is too long */
function spanOf({ from, to }: { from?: number | undefined; to?: number | undefined }, now: number): Span {
  const toAt = to ?? now;
  const fromAt = from ?? toAt - DAY_MS;
  if (fromAt > toAt) throw invalid("from", `must not lie after "to" (${timestamp(toAt) ?? toAt})`);
  if (toAt - fromAt > LONGEST_MS) throw invalid("from", 'must lie 31 days before "to" at most: ask for it in parts');
  return { fromAt, toAt };
}

function invalid(path: string, message: string): RequestError {
  return new RequestError(400, "invalid_request", `The request is not valid: ${path}: ${message}.`, {
    errors: [{ path, message }],
  });
}

const NOT_KEPT = new RequestError(
  404,
  "unavailable",
  "No way is kept of any cat (track.retention is 0): give track.retention a duration such as 30d.",
);

interface Wanted {
  readonly collar: Collar;
  readonly span: Span;
  readonly format: FormatName;
  readonly track: KeptTrack;
}

type FormatName = keyof typeof MEDIA_TYPES;
const MEDIA_TYPES = {
  json: "application/json; charset=utf-8",
  geojson: "application/geo+json; charset=utf-8",
  gpx: "application/gpx+xml; charset=utf-8",
} as const;

/** @throws RequestError where the track cannot be read */
function answerOf({ collar, span, format, track }: Wanted): Answer {
  try {
    const gaps = format === "json" ? track.gaps(collar.key, span) : [];
    const document = format === "json" ? jsonDocument(collar, span, gaps) : documentOf(format, collar);
    const { text, rest } = held(piecesOf(track.fixes(collar.key, span), document));
    const headers = {
      "cache-control": "private, no-cache",
      ...(format !== "json" && { "content-disposition": `attachment; filename="${fileName(collar, span)}.${format}"` }),
    };
    const type = MEDIA_TYPES[format];
    if (rest !== undefined) return { type, headers, body: whole(document, text, rest) };
    // Of the span both ends may move while nothing else does.
    const etag = `W/${entityTag(JSON.stringify([format, deviceName(collar), gaps, text]))}`;
    return { type, headers: { ...headers, etag }, body: document.head + text + document.tail };
  } catch (error) {
    if (error instanceof RecoverableError)
      throw new RequestError(503, "unavailable", `${capitalized(error.message)}: try again later.`);
    throw error;
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface Document extends Omit<TrackFormat, "head"> {
  readonly head: string;
}

function documentOf(format: "geojson" | "gpx", collar: Collar): Document {
  return { ...TRACK_FORMATS[format], head: TRACK_FORMATS[format].head(deviceName(collar)) };
}

function jsonDocument(collar: Collar, { fromAt, toAt }: Span, gaps: readonly Span[]): Document {
  const about: Omit<ApiTrack, "fixes"> = {
    device: collar.key,
    name: deviceName(collar),
    from: written(fromAt),
    to: written(toAt),
    gaps: gaps.map((gap) => ({ from: written(gap.fromAt), to: written(gap.toAt) })),
  };
  return {
    head: `${JSON.stringify(about).slice(0, -1)},"fixes":[\n`,
    fix: (fix) => JSON.stringify(fixOf(fix)),
    between: ",\n",
    tail: "\n]}\n",
  };
}

function fixOf({ latitude, longitude, accuracyM, satellites, measuredAt }: DatedFix): ApiFix {
  return {
    latitude,
    longitude,
    gps_accuracy: accuracyM ?? null,
    satellites: satellites ?? null,
    measured_at: written(measuredAt),
  };
}

function written(at: number): string {
  return timestamp(at) ?? "";
}

/** `oreo-2026-11-21`: without anything that would have to be escaped in a header. */
function fileName(collar: Collar, { toAt }: Span): string {
  return `${slug(deviceName(collar)).replaceAll("_", "-") || collar.key}-${written(toAt).slice(0, 10)}`;
}

function* piecesOf(pages: Iterable<readonly DatedFix[]>, { fix, between }: Document): Generator<string> {
  let isFirst = true;
  for (const page of pages) {
    if (page.length > 0) yield (isFirst ? "" : between) + page.map(fix).join(between);
    isFirst &&= page.length === 0;
  }
}

/** A track up to so many pages is held as a whole, and can be told from the one that a reader has; a longer one flows. */
const HELD_PAGES = 5;

function held(pieces: Iterator<string>): { readonly text: string; readonly rest: Iterator<string> | undefined } {
  const texts: string[] = [];
  while (texts.length < HELD_PAGES) {
    const { done, value } = pieces.next();
    if (done === true) return { text: texts.join(""), rest: undefined };
    texts.push(value);
  }
  return { text: texts.join(""), rest: pieces };
}

/** One page at a time, none of which is read before there is room for it. */
function* whole({ head, tail }: Document, text: string, rest: Iterator<string>): Generator<string> {
  yield head + text;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
  yield tail;
}
