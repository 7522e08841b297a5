/** A cat's portrait as a PNG, drawn here: the demo has no pictures of real cats to show. */
import { crc32, deflateSync } from "node:zlib";

const size = 96;
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const background = 0xf4efe6;
const dark = 0x2b2b2b;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** The colour at this place of the face; `x` counts from the middle, so that both halves are alike. */
function colourAt(x: number, y: number, fur: number): number {
  const side = Math.abs(x);
  if (Math.hypot(side - 14, y - 50) < 5 || Math.hypot(side, y - 63) < 3) return dark;
  const isFace = Math.hypot(side / 1.1, y - 55) < 30;
  const isEar = y > 10 && y < 45 && side > 8 && side < 34 && Math.abs(side - 24) < (y - 10) * 0.45;
  return isFace || isEar ? fur : background;
}

/** PNG bytes of a cat with fur of this colour (0xRRGGBB). */
export function catPicture(fur: number): Buffer {
  const rowBytes = 1 + size * 3;
  const pixels = Buffer.alloc(rowBytes * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      pixels.writeUIntBE(colourAt(x - size / 2 + 0.5, y, fur), y * rowBytes + 1 + x * 3, 3);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits a channel, true colour; the three zeros after them are the only ones that PNG knows.
  header.set([8, 2], 8);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
