/** Names as Home Assistant can show them. */
import type { Account, Device } from "../model/device.ts";

const LONGEST = 64;
/** Control characters, halves of characters, line and paragraph separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** The device's name: trimmed, without control characters, at most 64 long; where nothing is left, what it is and its number. */
export function deviceName(device: Device): string {
  return cleanName(device.name) || `${device.kind === "collar" ? "Collar" : "Home station"} ${device.id}`;
}

/** An account's name: its maker's, and the owner's or the number. */
export function accountName({ product, name, id }: Account): string {
  return `${product?.manufacturer ?? ""} account ${cleanName(name) || (id ?? "")}`.trim().slice(0, LONGEST);
}

function cleanName(name: string | undefined): string {
  const oneLine = (name ?? "").slice(0, 1_000).replace(UNPRINTABLE, " ").replace(/\s+/gu, " ").trim();
  if (oneLine.length <= LONGEST) return oneLine;
  let short = "";
  // By what a reader sees as one character: half an emoji would be no text at all.
  for (const { segment } of new Intl.Segmenter().segment(oneLine)) {
    if (short.length + segment.length > LONGEST) break;
    short += segment;
  }
  return short.trim();
}

/** The name as a part of an entity id: small letters, digits and `_`; empty where nothing of it can be written so. */
export function slug(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/ß/g, "ss")
    .toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
}
