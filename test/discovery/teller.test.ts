/** Each thing that happened is told once, in its order, to somebody who listens: over lost links and restarts. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Link } from "../../src/discovery/link.ts";
import { createMemory, type DiscoveryMemory } from "../../src/discovery/memory.ts";
import type { ToldNote } from "../../src/discovery/messages.ts";
import { ABSENCE_MS, createTeller, type Teller } from "../../src/discovery/teller.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import type { Activity } from "../../src/model/activity.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import { createJournal } from "../../src/store/journal.ts";
import { NOON } from "../support/arbitraries.ts";
import { idleBridge } from "../support/idle-bridge.ts";

const TOPICS = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

/** What is lost when the link breaks: the message itself, or only the broker's word that it has it. */
type Fault = "none" | "message" | "confirmation";

/** A journal, a broker, and a teller for each connection between them. */
function openStudio() {
  const journal = createJournal([]);
  const told: string[] = [];
  const state = { cursor: 0, happened: 0, fault: "none" as Fault, note: undefined as ToldNote | undefined };
  let memory: DiscoveryMemory = createMemory();
  let teller = connect();

  function link(): Link {
    return {
      async publish({ topic, payload }) {
        // Sent, as far as can be known here.
        if (state.fault === "message") return;
        const { number } = JSON.parse(String(payload)) as { number: number };
        told.push(`${topic} ${number}`);
        await Promise.resolve();
      },
      async flush() {
        await Promise.resolve();
        if (state.fault !== "none") throw new Error("the link is lost");
      },
      subscribe: () => Promise.resolve(),
    };
  }

  function connect(): Teller {
    const feed: Feed = {
      state: new Map(),
      changes: () => {
        throw new Error("nobody reads them here");
      },
      activities: (after) => journal.after(after),
      ...idleBridge,
    };
    const cursor = {
      read: () => state.cursor,
      write: (sequence: number) => {
        state.cursor = sequence;
      },
    };
    const made = createTeller({ feed, link: link(), memory, topics: TOPICS, cursor, sendNote });
    if (state.note) made.recall(state.note);
    return made;

    async function sendNote(): Promise<void> {
      if (state.fault !== "message") state.note = made.note;
    }
  }

  return {
    told,
    state,
    get memory() {
      return memory;
    },
    get teller() {
      return teller;
    },
    happen(device = "cat") {
      state.happened += 1;
      const activity: Omit<Activity, "device" | "sequence"> = {
        type: "left_home",
        at: NOON,
        details: { number: state.happened },
      };
      journal.add(device, activity);
    },
    /** Tells, and connects anew where that breaks the link. */
    async tell() {
      try {
        await teller.tell();
      } catch {
        state.fault = "none";
        this.reconnect();
      }
    },
    reconnect() {
      memory.wasConnected = true;
      teller = connect();
    },
    restart() {
      memory = createMemory();
      teller = connect();
    },
  };
}

function numbers(told: readonly string[]): number[] {
  return told.map((text) => Number(text.split(" ")[1]));
}

test("what happened is told on the device's own topic, in its order, and once", async () => {
  const studio = openStudio();
  studio.happen("pettracer_1");
  studio.happen("pettracer_2");
  await studio.tell();
  studio.happen("pettracer_1");
  await Promise.all([studio.tell(), studio.tell(), studio.tell()]);
  expect(studio.told).toEqual([
    "pawline/pettracer_1/event 1",
    "pawline/pettracer_2/event 2",
    "pawline/pettracer_1/event 3",
  ]);
});

test("nothing is told to a Home Assistant that has said that it is away", async () => {
  const studio = openStudio();
  studio.memory.homeAssistant = { status: "offline", seenAt: NOON };
  studio.happen();
  await studio.tell();
  studio.teller.listening();
  await studio.tell();
  expect(studio.told).toEqual([]);
  studio.memory.homeAssistant = { status: "online", seenAt: NOON };
  await studio.tell();
  expect(numbers(studio.told)).toEqual([1]);
});

test("after a connection that was lost it waits, until Home Assistant listens or long enough", async () => {
  const studio = openStudio();
  studio.reconnect();
  studio.happen();
  await studio.tell();
  await vi.advanceTimersByTimeAsync(ABSENCE_MS - 1);
  await studio.tell();
  expect(studio.told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await studio.tell();
  expect(numbers(studio.told)).toEqual([1]);

  studio.reconnect();
  studio.happen();
  studio.teller.listening();
  await studio.tell();
  expect(numbers(studio.told)).toEqual([1, 2]);
});

test("deaf is deaf, for as long as was said", async () => {
  const studio = openStudio();
  studio.happen();
  studio.teller.deaf(60_000);
  await studio.tell();
  await vi.advanceTimersByTimeAsync(59_999);
  await studio.tell();
  expect(studio.told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await studio.tell();
  expect(numbers(studio.told)).toEqual([1]);
});

test("over any number of faults nothing is lost, and nothing is told twice", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant("happen") },
    { weight: 4, arbitrary: fc.constant("tell") },
    fc.constantFrom("message", "confirmation", "reconnect", "restart", "offline", "online", "wait"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (all) => {
      const studio = openStudio();
      for (const one of all) {
        if (one === "happen") studio.happen();
        else if (one === "message" || one === "confirmation") studio.state.fault = one;
        else if (one === "reconnect") studio.reconnect();
        else if (one === "restart") studio.restart();
        else if (one === "wait") await vi.advanceTimersByTimeAsync(15_000);
        else if (one !== "tell") studio.memory.homeAssistant = { status: one, seenAt: NOON };
        await studio.tell();
      }
      studio.state.fault = "none";
      studio.memory.homeAssistant = { status: "online", seenAt: NOON };
      studio.teller.listening();
      await studio.tell();
      const told = numbers(studio.told);
      expect(told).toEqual(Array.from({ length: studio.state.happened }, (_, index) => index + 1));
    }),
    { numRuns: 500 },
  );
});

test("a note of another journal holds nothing back", async () => {
  for (const note of [
    { sequence: 1, at: NOON - 1 },
    { sequence: 99, at: NOON },
  ]) {
    const studio = openStudio();
    studio.happen();
    studio.teller.recall(note);
    await studio.tell();
    expect(numbers(studio.told)).toEqual([1]);
  }
});
