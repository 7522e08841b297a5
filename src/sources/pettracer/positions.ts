/**
 * A collar's stored positions. They are asked for a day at a time, one request after the other: a collar on live
 * tracking has thousands a day, and the cloud is a small company's. What lies on the border of two days may come with
 * both, and is told once.
 */
import { RecoverableError } from "../../lib/errors.ts";
import type { DatedFix } from "../../model/device.ts";
import type { Span } from "../../model/span.ts";
import type { TrackSlice } from "../source.ts";
import { decodePositions } from "./decode.ts";
import type { Session } from "./session.ts";
import type { OnOddField } from "./wire.ts";

const SLICE_MS = 86_400_000;

/** @throws FatalError, RecoverableError */
export async function* storedPositions(
  session: Session,
  id: number,
  span: Span,
  odd: OnOddField,
  signal: AbortSignal,
): AsyncGenerator<TrackSlice> {
  let before: ReadonlySet<string> = new Set();
  for (const { fromAt, toAt } of slicesOf(span)) {
    const body = { devId: id, filterTime: fromAt, toTime: toAt };
    const fixes = readFixes(await session.call("/map/getccpositions", signal, body), span, odd);
    yield { untilAt: toAt, fixes: [...fixes].flatMap(([text, fix]) => (before.has(text) ? [] : [fix])) };
    before = new Set(fixes.keys());
  }
}

/** At least one, also of a span without a length. */
function* slicesOf({ fromAt, toAt }: Span): Generator<Span> {
  let startAt = fromAt;
  do {
    const endAt = Math.min(startAt + SLICE_MS, toAt);
    yield { fromAt: startAt, toAt: endAt };
    startAt = endAt;
  } while (startAt < toAt);
}

/** Those of the whole span, the oldest first, by their text. */
function readFixes(wire: unknown, { fromAt, toAt }: Span, odd: OnOddField): Map<string, DatedFix> {
  const all = decodePositions(wire, odd);
  if (all === undefined) throw new RecoverableError("PetTracer's answer is no list of positions");
  // The cloud may go by the time at which it stored a position: one that was measured before midnight comes with the
  // next day, and is none to be left out.
  const wanted = all.filter(({ measuredAt }) => measuredAt >= fromAt && measuredAt <= toAt);
  return new Map(wanted.toSorted((a, b) => a.measuredAt - b.measuredAt).map((fix) => [JSON.stringify(fix), fix]));
}
