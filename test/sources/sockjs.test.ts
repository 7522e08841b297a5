import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSockjsFrame, sessionUrl, sockjsFrame } from "../../src/sources/pettracer/sockjs.ts";

test("reads each kind of frame", () => {
  expect(parseSockjsFrame("o")).toEqual({ type: "open" });
  expect(parseSockjsFrame("h")).toEqual({ type: "heartbeat" });
  expect(parseSockjsFrame('a["one","two"]')).toEqual({ type: "messages", messages: ["one", "two"], odd: 0 });
  expect(parseSockjsFrame("a[]")).toEqual({ type: "messages", messages: [], odd: 0 });
  expect(parseSockjsFrame('m"one"')).toEqual({ type: "messages", messages: ["one"], odd: 0 });
  expect(parseSockjsFrame('c[3000,"Go away!"]')).toEqual({ type: "close", code: 3000, reason: "Go away!" });
});

test("an element that is no text does not take its neighbours along", () => {
  expect(parseSockjsFrame('a["one",2,null,"three"]')).toEqual({ type: "messages", messages: ["one", "three"], odd: 2 });
});

test.each(["", "x", "oo", "hh", "a", "a[", 'a"one"', "a{}", "c", "c[", "\u0000", "[]"])("%j is malformed", (text) => {
  expect(parseSockjsFrame(text)).toEqual({ type: "malformed" });
});

test("any text has an answer", () => {
  const prefixed = fc.tuple(
    fc.constantFrom("o", "h", "a", "m", "c", ""),
    fc.oneof(fc.string({ unit: "binary" }), fc.json()),
  );
  fc.assert(
    fc.property(prefixed, ([letter, rest]) => {
      expect(["open", "heartbeat", "messages", "close", "malformed"]).toContain(parseSockjsFrame(letter + rest).type);
    }),
  );
});

test("whatever strings a server sends are read as they are", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (messages) => {
      expect(parseSockjsFrame(`a${JSON.stringify(messages)}`)).toEqual({ type: "messages", messages, odd: 0 });
    }),
  );
});

test("what we send is an array of strings", () => {
  expect(sockjsFrame("\n")).toBe('["\\n"]');
  expect(sockjsFrame('SEND\n\n{"a":1}\0')).toBe('["SEND\\n\\n{\\"a\\":1}\\u0000"]');
});

test("each session has an address of its own, as the protocol wants it", () => {
  const urls = Array.from({ length: 200 }, () => sessionUrl("wss://example.test/sc", "a b&c"));
  for (const url of urls) {
    expect(url).toMatch(/^wss:\/\/example\.test\/sc\/\d{3}\/[a-z0-9]{8}\/websocket\?access_token=a%20b%26c$/);
  }
  expect(new Set(urls).size).toBe(urls.length);
});
