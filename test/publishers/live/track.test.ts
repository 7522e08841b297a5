/** Tracks of any length: short ones as a whole, with a tag; long ones page by page; and what happens when one cannot be read. */
import { get } from "node:http";
import { expect, test, vi } from "vitest";
import { RecoverableError } from "../../../src/lib/errors.ts";
import type { DatedFix } from "../../../src/model/device.ts";
import { featureCollection } from "../../../src/publishers/live/api/requests.ts";
import { problem, track } from "../../../src/publishers/live/api/schema.ts";
import type { KeptTrack } from "../../../src/publishers/publisher.ts";
import { createCat } from "../../support/cat.ts";
import { ask } from "../../support/http.ts";
import { startLive } from "../../support/live.ts";
import { parseXml } from "../../support/xml.ts";

vi.setConfig({ testTimeout: 60_000 });

const NOON = Date.UTC(2026, 5, 1, 12);
const { state } = createCat({ name: 'O"re<o & ü' }).store;
const PATH = `/api/devices/pettracer_14758/track?from=${NOON}&to=${NOON + 86_400_000}`;

/** So many fixes, a second apart, a thousand at a time. @param failsAt the page that cannot be read */
function trackOf(count: number, failsAt = Number.POSITIVE_INFINITY): KeptTrack & { pagesRead: number } {
  const kept = {
    pagesRead: 0,
    gaps: () => [],
    *fixes(): Generator<DatedFix[]> {
      for (let from = 0; from < count; from += 1_000) {
        if (kept.pagesRead === failsAt) throw new RecoverableError("the track cannot be read at the moment");
        kept.pagesRead += 1;
        yield Array.from({ length: Math.min(1_000, count - from) }, (_, index) => fixAt(from + index));
      }
    },
  };
  return kept;
}

function fixAt(second: number): DatedFix {
  return { latitude: 51 + second / 1e6, longitude: -1, measuredAt: NOON + second * 1_000 };
}

test.each([0, 1, 999, 1_000, 1_001, 4_000, 5_000, 12_345])(
  "%i positions are all there, in each format",
  async (count) => {
    await using live = await started(trackOf(count));
    const json = await ask(live.url + PATH);
    const { fixes, name } = track.parse(JSON.parse(json.body));
    expect([name, fixes.length]).toEqual(['O"re<o & ü', count]);
    if (count > 0) expect(fixes.at(-1)?.latitude).toBe(fixAt(count - 1).latitude);
    const geo = await ask(`${live.url}${PATH}&format=geojson`);
    expect(featureCollection.parse(JSON.parse(geo.body)).features).toHaveLength(count);
    const gpx = await ask(`${live.url}${PATH}&format=gpx`);
    expect(parseXml(gpx.body).name).toBe("gpx");
    expect(gpx.body.match(/<trkpt /g)?.length ?? 0).toBe(count);
    expect(gpx.headers["content-disposition"]).toBe('attachment; filename="o-re-o-u-2026-06-02.gpx"');
    for (const { headers } of [json, geo, gpx]) expect("etag" in headers).toBe(count < 5_000);
  },
);

test("a long track is not read on while nobody takes it", async () => {
  const kept = trackOf(1_000_000);
  await using live = await started(kept);
  const call = get(`${live.url}${PATH}&format=gpx`, { agent: false });
  const response = await new Promise<import("node:http").IncomingMessage>((resolve) => call.on("response", resolve));
  response.pause();
  const looks: number[] = [];
  // As much as the buffers between us hold, and no more: until nothing moves any more.
  await expect
    .poll(
      () => {
        looks.push(kept.pagesRead);
        return looks.length > 10 && looks.at(-1) === looks.at(-10);
      },
      { timeout: 30_000, interval: 50 },
    )
    .toBe(true);
  expect(kept.pagesRead).toBeLessThan(500);
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
  call.destroy();
});

test("a track that cannot be read is a sentence; one that cannot be read on is cut off, and nobody takes it for whole", async () => {
  {
    await using live = await started(trackOf(3_000, 0));
    const refused = await ask(live.url + PATH);
    expect(problem.parse(JSON.parse(refused.body))).toMatchObject({
      status: 503,
      code: "unavailable",
      detail: expect.stringMatching(/^The track cannot be read at the moment: try again later\.$/),
    });
  }
  await using live = await started(trackOf(20_000, 10));
  await expect(ask(live.url + PATH)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
});

/** Ended by `await using`, within the test. */
async function started(kept: KeptTrack) {
  const live = await startLive({ onTestFinished: () => {} }, state, {}, { track: () => kept });
  return { ...live, [Symbol.asyncDispose]: () => live.stop() };
}
