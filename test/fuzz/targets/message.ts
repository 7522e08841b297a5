/** Bodies of the stream's messages: from the text to what Home Assistant is told. */
import { describeDiscovery } from "../../../src/discovery/config.ts";
import { activityMessage, type Message, positionMessage, stateMessages } from "../../../src/discovery/messages.ts";
import { createTopics } from "../../../src/discovery/topics.ts";
import { deviceRecord } from "../../../src/entities/record.ts";
import type { State } from "../../../src/model/device.ts";
import { deviceOf } from "../../../src/publishers/live/api/device.ts";
import { device } from "../../../src/publishers/live/api/schema.ts";
import { collarKey, type DecodedMessage, decodeMessage, stationKey } from "../../../src/sources/pettracer/decode.ts";
import { createStore, type Store } from "../../../src/store/store.ts";
import { PRODUCT } from "../../support/arbitraries.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { checkPublished } from "./published.ts";

const FIELDS = [
  "id",
  "bat",
  "accuWarn",
  "chg",
  "lastPos",
  "posLat",
  "posLong",
  "acc",
  "sat",
  "timeMeasure",
  "timeDb",
  "home",
  "homeSince",
  "masterHs",
  "lastContact",
  "mode",
  "modeSet",
  "led",
  "buz",
  "search",
  "searchModeDuration",
  "details",
  "name",
  "color",
  "birth",
  "image",
  "fiFo",
  "telegram",
  "receivedBy",
  "hsId",
  "rssi",
  "wlanSsid",
  "hw",
  "sw",
];

export const message: Target = {
  name: "message",
  dictionary: [...FIELDS.map((field) => `"${field}":`), '"type":1,', '"2025-12-27T21:51:40.310+0000"', '"9999-12-31"'],
  runs: 500,
  open: () => Promise.resolve(open()),
};

export const TOPICS = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });
export const NOW = Date.UTC(2026, 5, 1, 12);

function open(): Trial {
  return {
    try: (input) => void tell(input.toString("utf8")),
    async close() {
      const [position] = tell(
        '{"id":1,"lastPos":{"posLat":1,"posLong":2,"timeMeasure":"2026-06-01T11:00:00.000+0000"}}',
      );
      ensure(position !== undefined, "a good message does not come through any more");
    },
  };
}

/** @returns the positions that are told behind it */
function tell(text: string): Message[] {
  const odd: string[] = [];
  const decoded = decodeMessage(text, (field) => odd.push(field));
  const store = createStore({ version: "1", startedAt: NOW, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 0 });
  if (decoded) report(store, decoded);
  for (const entry of store.state.values()) {
    const shown = deviceOf(entry, { state: store.state, preferredPosition: "station" });
    ensure(shown === undefined || device.safeParse(shown).success, "the live API says what its schema does not have");
  }
  const sent = everythingOf(store.state, store.activities(0));
  checkPublished(sent);
  return sent.filter(({ topic }) => topic.endsWith("/position"));
}

/** Twice, first with nothing known, then as news of what is. */
function report(store: Store, { collar, station }: DecodedMessage): void {
  const [account, isConfirmed] = ["pettracer", true];
  store.dispatch({ type: "accountConfigured", account });
  const collars = collar ? [{ key: collarKey(collar.id), id: collar.id, product: PRODUCT, report: collar.report }] : [];
  const stations = station
    ? [{ key: stationKey(station.id), id: station.id, product: PRODUCT, report: station.report }]
    : [];
  store.dispatch({ type: "devicesListed", account, at: NOW, isConfirmed, collars, stations });
  for (const { key, report: news } of collars)
    store.dispatch({ type: "collarReported", key, at: NOW + 1_000, report: news });
  store.dispatch({ type: "timePassed", at: NOW + 2_000, elapsedMs: 1_000 });
}

/** All messages for Home Assistant. */
export function everythingOf(state: State, activities: ReturnType<Store["activities"]>): Message[] {
  const view = { state, preferredPosition: "station" as const };
  const context = { mode: "device" as const, view, topics: TOPICS, deleted: new Set<string>(), qos: 1 as const };
  const devices = [...state.values()]
    .filter((entry) => entry.kind === "collar" || entry.kind === "homeStation")
    .toSorted((a, b) => (a.kind > b.kind ? -1 : 1));
  for (const device of devices) JSON.stringify(deviceRecord(device, view));
  return [
    ...devices.flatMap((device) =>
      describeDiscovery(device, device.key, new Map(), {
        ...context,
        version: "1",
        instance: "x",
        exclude: [],
      }).messages(),
    ),
    ...devices.flatMap((device) => stateMessages(device, view, TOPICS, 1)),
    ...devices.flatMap((device) => positionMessage(device, view, TOPICS, 1) ?? []),
    ...activities.map((activity) => activityMessage(activity, TOPICS)),
  ];
}
