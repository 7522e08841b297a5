/** The WebSocket API of a whole house: from the cloud to a client, and from a client's command to the cloud's echo. */
import { expect, test } from "vitest";
import { OREO_ID, openApi } from "../support/api.ts";
import { type HouseOptions, OREO, stationAndOreo, time } from "../support/house.ts";
import { connectTo } from "../support/sockets.ts";
import { until } from "../support/until.ts";

/** Its collar does at once what it is told. */
const AT_ONCE: HouseOptions = {
  cloud: { pollScale: 0.001 },
  furnish(cloud) {
    stationAndOreo(cloud);
    cloud.push(OREO.id, { led: false });
  },
};

async function moveInWithClient(context: Parameters<typeof openApi>[0]) {
  const { house, port } = await openApi(context, AT_ONCE);
  const url = `ws://127.0.0.1:${port}/api/ws`;
  return { house, url, client: await connectTo(context, url) };
}

test("a cat moves for the client when the cloud says so", async (context) => {
  const { house, client } = await moveInWithClient(context);
  const { snapshot } = await client.subscribe(["devices", "position/+"]);
  expect(snapshot.positions?.[OREO_ID]).toMatchObject({ latitude: OREO.lastPos.posLat, source: "gps" });
  house.cloud.push(OREO.id, { lastPos: { ...OREO.lastPos, posLat: 51.5, timeMeasure: time(1) } });
  await until(() => client.news(`position/${OREO_ID}`).length === 1, "the move");
  expect(client.news(`position/${OREO_ID}`)).toMatchObject([{ latitude: 51.5 }]);
});

test("a command is pending, accepted, and done with the cloud's echo; the device shows the same", async (context) => {
  const { client } = await moveInWithClient(context);
  await client.subscribe(["devices"], { filter: { devices: [OREO_ID] } });
  const first = await client.ask({ type: "command", device: OREO_ID, command: "light", value: true });
  expect(first).toEqual({ type: "pending", id: "request-2", accepted: false });
  await client.hear("the result", ({ type }) => type === "result");
  const answers = client.heard.filter((one) => "id" in one && one.id === "request-2");
  expect(answers.slice(1)).toMatchObject([
    { type: "pending", accepted: true },
    { type: "result", status: "done" },
  ]);
  const isOn = () => (client.news("devices").at(-1) as { device: { state: { light: unknown } } }).device.state.light;
  await until(() => isOn() === true, "the light is on");
});

test("a changed configuration closes with 1012, and what happened meanwhile is told afterwards", async (context) => {
  const { house, client, url } = await moveInWithClient(context);
  const { event } = await client.subscribe(["events/+"]);
  const { instance } = client.welcome;
  await house.daemon.reload(house.config({ live: { port: Number(new URL(url).port), max_connections: 50 } }));
  expect((await client.closed).code).toBe(1012);
  house.cloud.push(OREO.id, { chg: 1 });
  const events = () => house.daemon.store.activities(event);
  await until(() => events().length > 0, "it is being charged");
  const resumed = await (await connectTo(context, url)).subscribe(["events/+"], { after: event, instance });
  expect(resumed).toMatchObject({ resumed: true, events: [{ type: "charging_started", device: OREO_ID }] });
});
