/** What the list says of a cat, and what its controls show. */
import { describe, expect, test } from "vitest";
import { cardOf, inkOn } from "../../src/page/model/card.ts";
import { type Asked, controlsOf, noticesOf } from "../../src/page/model/control.ts";
import { at, collar, NOON_MS, reader } from "./device.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("a card", () => {
  test("tells battery, position, contact, signal and distance", () => {
    const card = cardOf(collar({}, { last_contact: at(6), signal_quality: 55 }), reader());
    expect(card).toMatchObject({
      name: "Oreo",
      initial: "O",
      place: "120 m from home",
      battery: { text: "84 %", percent: 84, tone: "good" },
      signal: { text: "good", bars: 3 },
      isHome: false,
      trouble: "",
    });
    expect([plain(card.position), plain(card.contact)]).toEqual(["3 min ago", "6 min ago"]);
  });

  test("says what is not known", () => {
    const nothing = collar(
      { position: null, color: null, firmware: null },
      { at_home: null, battery: null, distance: null },
    );
    expect(cardOf(nothing, reader())).toMatchObject({
      place: "No position yet",
      position: "none yet",
      contact: "none yet",
      battery: { text: "unknown", percent: null, tone: "good" },
      signal: { text: "unknown", bars: 0 },
      details: [],
    });
  });

  test.each([
    [{ at_home: true }, "At home"],
    [{ at_home: true, home_since: at(60) }, "At home since 11:00"],
    [{ at_home: false, distance: 1_500 }, "1.5 km from home"],
    [{ at_home: false, distance: null }, "Not at home"],
    [{ at_home: null, distance: null }, ""],
  ])("of %j it says %j", (state, place) => {
    expect(cardOf(collar({}, state), reader()).place).toBe(place);
  });

  test.each([
    [{ battery: 84, charging: true }, "84 %, charging", "charging"],
    [{ battery: 12 }, "12 %, low", "low"],
    [{ battery: 40, battery_voltage: 3.6, battery_warning: 3.7 }, "40 %, low", "low"],
    [{ battery: 40, battery_voltage: 3.8, battery_warning: 3.7 }, "40 %", "good"],
  ])("a battery of %j is %j", (state, text, tone) => {
    expect(cardOf(collar({}, state), reader()).battery).toMatchObject({ text, tone });
  });

  test("a clock that runs ahead shows no future", () => {
    expect(cardOf(collar({}, { last_contact: at(-30) }), reader()).contact).toBe("now");
  });

  test("an account that cannot be reached is told", () => {
    expect(cardOf(collar({ available: false }), reader()).trouble).toMatch(/^No news/);
  });

  test("a name may begin with anything", () => {
    const initial = (name: string): string => cardOf(collar({ name }), reader()).initial;
    expect([initial("  mochi"), initial("👩‍👧 Cat"), initial(""), initial("ßa")]).toEqual(["M", "👩‍👧", "?", "SS"]);
  });

  test("its letter can be read on its colour", () => {
    expect(["#ff912c", "#82e3b5", "#000000", "#0b6e8a", "#ffffff"].map(inkOn)).toEqual([
      "#000000",
      "#000000",
      "#ffffff",
      "#ffffff",
      "#000000",
    ]);
  });
});

describe("the controls", () => {
  const live = (device: ReturnType<typeof collar>, asked: readonly Asked[] = []) =>
    controlsOf(device, asked, reader()).find(({ name }) => name === "live");
  const sending: Asked = { control: "live", body: { command: "live", value: true }, step: "sending" };

  test("are those that the device takes", () => {
    expect(controlsOf(collar(), [], reader()).map(({ name }) => name)).toEqual(["live", "light", "buzzer", "find"]);
    expect(controlsOf(collar({ commands: [{ command: "light" }, { command: "mode" }] }), [], reader())).toHaveLength(1);
    expect(controlsOf(collar({ commands: [] }), [], reader())).toEqual([]);
  });

  test("show what the cloud says, never what was asked for", () => {
    expect(live(collar())).toMatchObject({ isOn: false, isPending: false, note: "off", asks: { value: true } });
    expect(live(collar(), [sending])).toMatchObject({ isOn: false, isPending: true });
    expect(live(collar(), [{ ...sending, step: "failed" }])).toMatchObject({ isOn: false, isPending: false });
    expect(live(collar({}, { live: true }))).toMatchObject({ isOn: true, note: "on", asks: { value: false } });
    expect(live(collar({}, { live: true, live_remaining: 12 }))?.note).toBe("12 min left");
    expect(live(collar({}, { live: null }))).toMatchObject({ isOn: null });
  });

  test("wait with what somebody else has asked for", () => {
    const pending = { command: "mode", value: "Live", since: at(1), until: at(-2), accepted: true } as const;
    const device = collar({ pending: [pending] });
    expect(live(device)?.isPending).toBe(true);
    expect(noticesOf(device, [], reader())).toEqual([
      { tone: "pending", text: "Live on: the collar should take it by 12:02." },
    ]);
    const slow = { ...pending, value: "Slow" };
    expect(live(collar({ pending: [slow] }))?.isPending).toBe(false);
    expect(live(collar({ pending: [slow] }, { live: true }))?.isPending).toBe(true);
    expect(noticesOf(collar({ pending: [{ ...slow, accepted: false }] }), [], reader())).toEqual([
      { tone: "pending", text: "Mode Slow: on its way to the cloud …" },
    ]);
  });

  test("one command is told once, step by step", () => {
    const pending = { command: "mode", value: "Live", since: at(0), until: at(-3), accepted: false } as const;
    const told = (asked: Asked): string[] =>
      noticesOf(collar({ pending: [pending] }), [asked], reader()).map(({ text }) => text);
    expect(told(sending)).toEqual(["Live on: on its way to the cloud …"]);
    const untilMs = NOON_MS + 180_000;
    expect(told({ ...sending, step: "accepted", untilMs })).toEqual(["Live on: the collar should take it by 12:03."]);
    expect(told({ ...sending, step: "accepted", untilMs: NOON_MS - 1 })).toEqual([
      "Live on: the collar has not taken it yet.",
    ]);
  });

  test("a failure is told with its reason, until it is dismissed", () => {
    const failed: Asked = { ...sending, step: "failed", reason: "PetTracer refused it." };
    expect(noticesOf(collar(), [failed], reader())).toEqual([
      { tone: "failed", text: "Live on failed: PetTracer refused it.", control: "live" },
    ]);
    expect(noticesOf(collar(), [{ ...failed, reason: undefined }], reader())[0]?.text).toMatch(
      /the connection was lost/,
    );
    expect(noticesOf(collar(), [{ ...failed, reason: "Nein." }], reader("de-DE"))[0]?.text).toBe(
      "Live an ist fehlgeschlagen: Nein.",
    );
  });

  test("a mode that the collar has still to fetch is told", () => {
    const device = collar({}, { live: true, pending_command: "mode Live", pending_until: at(-5) });
    expect(noticesOf(device, [], reader()).map(({ text }) => text)).toEqual([
      "Mode Live: the collar should take it by 12:05.",
    ]);
  });
});
