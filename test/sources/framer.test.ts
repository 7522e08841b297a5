import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFramer, readWholeMessage } from "../../src/sources/pettracer/framer.ts";

/** A frame as a server writes it, with or without the length of its body. */
const frame = fc
  .record({
    command: fc.constantFrom("MESSAGE", "CONNECTED", "RECEIPT", "ERROR"),
    headers: fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,12}$/), fc.stringMatching(/^[ -~]{0,20}$/)), {
      maxLength: 4,
    }),
    body: fc.oneof(fc.json(), fc.string({ unit: "grapheme" })),
    eol: fc.constantFrom("\n", "\r\n"),
    hasLength: fc.boolean(),
  })
  .map(({ command, headers, body, eol, hasLength }) => {
    const text = body.replaceAll("\0", "");
    const own = headers.filter(([name]) => name !== "content-length").map(([name, value]) => `${name}:${value}`);
    const length = hasLength ? [`content-length:${Buffer.byteLength(text)}`] : [];
    return `${[command, ...own, ...length].join(eol)}${eol}${eol}${text}\0`;
  });

const garbage = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "MESSAGE\nno colon\n\nbody",
    "MESSAGE\ncontent-length:999999\n\nshort",
    "MESSAGE\n",
    "ERR",
    "\0",
    "\n",
  ),
  frame.map((text) => text.slice(0, -1)),
);

function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map((place) => place % (text.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => text.slice(start, places[index] ?? text.length));
}

function framesOf(pieces: readonly string[]): string[] {
  const framer = createFramer();
  return pieces.flatMap((piece) => framer.push(piece)).filter((one) => one !== "\n");
}

describe("the short way", () => {
  const message = frame.map((text) => text.replace(/^[A-Z]+\r?\n/, "MESSAGE\nsubscription:sub-0\n"));

  test("reads nothing that the framer reads otherwise", () => {
    fc.assert(
      fc.property(fc.oneof(message, frame, garbage), fc.oneof(message, garbage, fc.constant("")), (text, more) => {
        const read = readWholeMessage(text + more);
        if (read === undefined) return;
        expect(framesOf([text + more])).toEqual([text + more]);
        expect(text + more).toMatch(new RegExp(`\nsubscription:${read.subscription}\n`));
        expect((text + more).slice(0, -1).endsWith(`\n\n${read.body}`)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is the way of a message as the cloud sends it, with and without its length", () => {
    const head = "MESSAGE\ndestination:/user/queue/messages\nsubscription:sub-0\nmessage-id:a-1\n";
    const body = '{"id":14758,"name":"Mïa"}';
    const read = { subscription: "sub-0", body };
    expect(readWholeMessage(`${head}\n${body}\0`)).toEqual(read);
    expect(readWholeMessage(`${head}content-length:${Buffer.byteLength(body)}\n\n${body}\0`)).toEqual(read);
    expect(readWholeMessage(`${head}content-length:${body.length}\n\n${body}\0`)).toBeUndefined();
    expect(readWholeMessage(`${head}\n${body}\0\n`)).toBeUndefined();
    expect(readWholeMessage(`${head}no colon\n\n${body}\0`)).toBeUndefined();
    expect(readWholeMessage(`MESSAGE\ndestination:x\n\n${body}\0`)).toBeUndefined();
  });
});

describe("whole frames", () => {
  test("come out as they went in, however they are cut and batched", () => {
    const gap = fc.constantFrom("", "\n", "\n\n", "\r\n");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(gap, frame), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (parts, at) => {
          // A piece that begins like a frame inside another one is what only a lost NUL looks like.
          const pieces = cut(parts.map((part) => part.join("")).join(""), at);
          fc.pre(pieces.slice(1).every((piece) => !/^(MESSAGE|CONNECTED|RECEIPT|ERROR)\r?\n/.test(piece)));
          expect(framesOf(pieces)).toEqual(parts.map(([, text]) => text));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are never lost to what came before, when each has a piece of its own", () => {
    const pieces = fc.array(
      fc.oneof(
        garbage.map((text) => ({ text, good: false })),
        frame.map((text) => ({ text, good: true })),
      ),
      {
        maxLength: 10,
      },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const found = framesOf(parts.map(({ text }) => text));
        const wanted = parts.filter(({ good }) => good).map(({ text }) => text);
        expect(wanted.filter((text) => !found.includes(text))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

test("no bytes make it throw, and what it holds back is bounded", () => {
  const framer = createFramer();
  fc.assert(fc.property(fc.string({ unit: "binary" }), (piece) => void framer.push(piece)));
  for (let i = 0; i < 20; i += 1) framer.push(`MESSAGE\na:${"x".repeat(1024 * 1024)}`);
  expect(framer.push("MESSAGE\n\nbody\0")).toEqual(["MESSAGE\n\nbody\0"]);
});

test.each([
  ["a header without a colon", "MESSAGE\ngarbage\n\n{}\0"],
  ["a length that is no number", "MESSAGE\ncontent-length:x\n\n{}\0"],
  ["a length that is too small", "MESSAGE\ncontent-length:1\n\n{}\0"],
  ["an unknown command", "HELLO\n\n{}\0"],
])("%s is counted and passed over", (_, broken) => {
  const framer = createFramer();
  expect(framer.push(`${broken}MESSAGE\n\ngood\0`)).toContain("MESSAGE\n\ngood\0");
  expect(framer.malformed).toBeGreaterThan(0);
});

test("a length that is too large, or a missing NUL, ends where the next frame begins", () => {
  const framer = createFramer();
  expect(framer.push("MESSAGE\ncontent-length:900\n\n{}\0")).toEqual([]);
  expect(framer.push("MESSAGE\n\nno end")).toEqual([]);
  expect(framer.push("MESSAGE\n\ngood\0")).toEqual(["MESSAGE\n\ngood\0"]);
  expect(framer.malformed).toBe(2);
});

test("the length counts bytes, not letters", () => {
  const text = "MESSAGE\ncontent-length:13\n\n🐈 Müsli\0";
  expect(framesOf([text])).toEqual([]);
  const right = "MESSAGE\ncontent-length:11\n\n🐈 Müsli\0";
  expect(Buffer.byteLength("🐈 Müsli")).toBe(11);
  expect(framesOf([right.slice(0, 29), right.slice(29)])).toEqual([right]);
});
