/** The maker's own list of the newest firmware: fetched at most once a day, and of no harm when it cannot be had. */
import { describeError } from "../../lib/errors.ts";
import { readJson, request } from "../../lib/http.ts";
import type { Logger } from "../../lib/log.ts";
import type { FirmwareListed } from "../../model/event.ts";
import { decodeFirmware } from "./decode.ts";

/** What was fetched, and when, epoch ms; kept over restarts and shared by all accounts. */
export interface FirmwareKeep {
  read(): unknown;
  write(value: object): void;
}

export const FIRMWARE_URL = "https://raw.githubusercontent.com/petTracer/connect_public/main/firmware.json";
const DAY_MS = 86_400_000;
const LARGEST_BYTES = 1024 * 1024;

/** The newest versions; what is kept of an earlier day where they cannot be fetched. */
export async function newestFirmware(
  url: string,
  keep: FirmwareKeep,
  log: Logger,
  signal: AbortSignal,
): Promise<FirmwareListed> {
  const kept = keep.read();
  const fetchedAt = typeof kept === "object" && kept !== null && "at" in kept ? Number(kept.at) : 0;
  const feed = typeof kept === "object" && kept !== null && "feed" in kept ? kept.feed : undefined;
  if (Math.abs(Date.now() - fetchedAt) < DAY_MS) return { type: "firmwareListed", ...decodeFirmware(feed) };
  try {
    const answer = await request(url, { signal, largestBytes: LARGEST_BYTES });
    const fresh = decodeFirmware(readJson(answer, "the list of firmware"));
    keep.write({ at: Date.now(), feed: fresh });
    return { type: "firmwareListed", ...fresh };
  } catch (error) {
    log.debug(`the newest firmware is not known: ${describeError(error)}`);
    keep.write({ at: Date.now(), feed: decodeFirmware(feed) });
    return { type: "firmwareListed", ...decodeFirmware(feed) };
  }
}
