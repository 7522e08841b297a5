/**
 * Rules for the way of each cat: every fix that the cloud ever had is in the track, as the cloud had it; none is there
 * twice; nothing else is there. And for where the cat is shown: its position never goes back to an older fix.
 */
import type { CollarHistory, Heard, TrueFix } from "../records.ts";

/** @param track what `pawline track` has written of the collar */
export function judgeTrack({ id, fixes }: CollarHistory, track: readonly TrueFix[]): string[] {
  const failures: string[] = [];
  const say = (what: string, measuredAt: number): void =>
    void failures.push(`track of collar ${id}: ${what}: ${new Date(measuredAt).toISOString()}`);
  const written = new Map<number, TrueFix>();
  for (const fix of track) {
    if (written.has(fix.measuredAt)) say("doubled", fix.measuredAt);
    written.set(fix.measuredAt, fix);
  }
  const sent = new Map(fixes.map((fix) => [fix.measuredAt, fix]));
  for (const fix of sent.values()) {
    const found = written.get(fix.measuredAt);
    if (found === undefined) say("lost", fix.measuredAt);
    else if (!isSame(found, fix)) say(`${JSON.stringify(found)} is not ${JSON.stringify(fix)}`, fix.measuredAt);
  }
  for (const { measuredAt } of track) if (!sent.has(measuredAt)) say("never measured", measuredAt);
  return failures;
}

function isSame(a: TrueFix, b: TrueFix): boolean {
  return (
    a.latitude === b.latitude &&
    a.longitude === b.longitude &&
    a.accuracyM === b.accuracyM &&
    a.satellites === b.satellites
  );
}

/** The document of `pawline track DEVICE --format csv`. */
export function readCsv(text: string): TrueFix[] {
  return text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [time = "", ...numbers] = line.split(",");
      const [latitude = 0, longitude = 0, accuracyM = 0, satellites = 0] = numbers.map(Number);
      return { measuredAt: Date.parse(time), latitude, longitude, accuracyM, satellites };
    });
}

/** Of the messages on `<base>/<device>/position` that were published, not read back from the broker's store. */
export function judgePositions(heard: readonly Heard[]): string[] {
  const newest = new Map<string, number>();
  const failures: string[] = [];
  for (const { topic, payload, isRetained } of heard) {
    if (isRetained || !topic.endsWith("/position") || payload === "") continue;
    const { source, measured_at: time }: Record<string, unknown> = JSON.parse(payload);
    if (source !== "gps") continue;
    const at = Date.parse(String(time));
    if (at < (newest.get(topic) ?? 0)) failures.push(`${topic} went back to an older fix: ${payload}`);
    newest.set(topic, Math.max(at, newest.get(topic) ?? 0));
  }
  return failures;
}
