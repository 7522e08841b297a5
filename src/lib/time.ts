/** Times as people write them. */

/** Dates reach no further, epoch ms; nor further back than as much before 1970. */
export const LATEST_TIME = 8.64e15;

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Epoch ms of ISO 8601; without an offset by the clock of this computer. Undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const [, day = "", clock = "00:00", offset = ""] = TIME.exec(text.trim().toUpperCase()) ?? [];
  if (!isDay(day)) return undefined;
  const at = Date.parse(
    `${day}T${clock}${offset.replace(/^(.\d{2}):?(\d{2})?$/, (_, hours, minutes = "00") => `${hours}:${minutes}`)}`,
  );
  return Number.isNaN(at) ? undefined : at;
}

/** There is no 30th of February, although it can be reckoned with. */
function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
