/** The pets' pictures, as the portal keeps them: each is fetched once, and again when it has another name. */
import { describeError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { CollarReport, Photo } from "../../model/device.ts";
import type { ListedDevice, PhotoReceived } from "../../model/event.ts";
import type { Session } from "./session.ts";

export interface PhotoAlbum {
  /** Fetches what is new, one after the other; what cannot be had is tried again the next time. */
  fetch(
    collars: readonly ListedDevice<CollarReport>[],
    emit: (event: PhotoReceived) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** A picture that is larger would only burden the broker. */
const LARGEST_PHOTO = 1024 * 1024;
/** All of them stay in memory. */
const MOST_PHOTOS = 64;

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff);
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function createPhotoAlbum(session: Session, log: Logger): PhotoAlbum {
  const known = new Map<string, string | null>();
  return {
    async fetch(collars, emit, signal) {
      for (const { key, report } of collars) {
        const { image } = report;
        if (signal.aborted || image === undefined || known.get(key) === image) continue;
        if (image !== null && !known.has(key) && known.size >= MOST_PHOTOS) continue;
        const photo = image === null ? null : await fetchPhoto(image, session, log, signal);
        if (photo === undefined) continue;
        known.set(key, image);
        emit({ type: "photoReceived", key, photo });
      }
    },
  };
}

/** Null for what is no picture that we can use; undefined where it cannot be had now. */
async function fetchPhoto(
  image: string,
  session: Session,
  log: Logger,
  signal: AbortSignal,
): Promise<Photo | null | undefined> {
  try {
    const photo = readPhoto(image, await session.fetch(`/image/${encodeURIComponent(image)}`, signal));
    if (photo === undefined) log.info("a pet's picture is left out: it is no JPEG or PNG of at most 1 MB");
    return photo ?? null;
  } catch (error) {
    log.debug(`a pet's picture cannot be had: ${describeError(error)}`);
    return undefined;
  }
}

/** The picture, recognised by its first bytes, whatever the cloud calls it; undefined for anything else. */
function readPhoto(image: string, bytes: Uint8Array): Photo | undefined {
  if (bytes.byteLength > LARGEST_PHOTO) return undefined;
  if (begins(bytes, JPEG)) return { image, contentType: "image/jpeg", bytes };
  return begins(bytes, PNG) ? { image, contentType: "image/png", bytes } : undefined;
}

function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.byteLength > start.byteLength && start.every((byte, index) => bytes[index] === byte);
}
