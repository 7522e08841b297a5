/** What is kept of registrations: checked when it is read, and a secret. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createScrubber } from "../../../src/lib/scrub.ts";
import { openKept, type Registration } from "../../../src/publishers/homeassistant/mobile-app/kept.ts";
import { memoryData } from "../../support/memory-data.ts";

const OREO: Registration = {
  webhook: "0123456789abcdef",
  entry: "entry",
  user: "user",
  name: "Oreo",
  about: "{}",
  hidden: [],
  controls: { mode: { entry: "helper", title: "Oreo Mode", made: "", isNamed: true } },
};

function open(data = memoryData(), scrubber = createScrubber()) {
  const keep = { read: () => data.read("x"), write: (value: object) => data.write("x", value) };
  return openKept(keep, scrubber);
}

test("a registration is found again by another run", () => {
  const data = memoryData();
  open(data).set("cat", OREO);
  const again = open(data);
  expect(again.devices()).toEqual(["cat"]);
  expect(again.get("cat")).toEqual(OREO);
  again.change("cat", { name: "Rex" });
  expect(open(data).get("cat")).toEqual({ ...OREO, name: "Rex" });
  again.drop("cat");
  expect(open(data).get("cat")).toBeUndefined();
});

test("what another run has written is seen after a reload", () => {
  const data = memoryData();
  const [one, other] = [open(data), open(data)];
  one.set("cat", OREO);
  expect(other.get("cat")).toBeUndefined();
  other.reload();
  expect(other.get("cat")).toEqual(OREO);
});

test("where nothing can be written, the run itself remembers", () => {
  const kept = openKept({ read: () => undefined, write: () => {} }, createScrubber());
  kept.set("cat", OREO);
  kept.reload();
  expect(kept.get("cat")).toEqual(OREO);
});

test("after the end the file is empty, and nothing comes back", () => {
  const data = memoryData();
  const kept = open(data);
  kept.set("cat", OREO);
  kept.clear();
  expect(data.text).toBe("{}");
  kept.reload();
  expect(kept.devices()).toEqual([]);
  expect(open(data).devices()).toEqual([]);
});

test("webhooks are taken out of the log, whether made or read", () => {
  for (const isRead of [false, true]) {
    const data = memoryData();
    if (isRead) open(data).set("cat", OREO);
    const scrubber = createScrubber();
    const kept = open(data, scrubber);
    if (!isRead) kept.set("cat", OREO);
    expect(scrubber.scrub(`at ${OREO.webhook}`)).toBe("at ***");
  }
});

test("whatever stands in the file, it is read without a fault", () => {
  const registration = fc.oneof(fc.constant(OREO), fc.record({ webhook: fc.anything() }), fc.jsonValue());
  const content = fc.oneof(fc.jsonValue(), fc.record({ registrations: fc.dictionary(fc.string(), registration) }));
  fc.assert(
    fc.property(content, (value) => {
      const kept = openKept({ read: () => value, write: () => {} }, createScrubber());
      for (const device of kept.devices()) expect(kept.get(device)?.webhook).not.toBe("");
      if (!kept.devices().includes("toString")) expect(kept.get("toString")).toBeUndefined();
    }),
  );
});
