/**
 * Answers of REST, byte by byte: status, headers, body. The input is a whole answer for each call, in this order: login,
 * collars, home stations, positions, picture, firmware; parted by the record separator. Where one is missing a good one
 * stands in.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { FatalError, RecoverableError } from "../../../src/lib/errors.ts";
import { findBroker } from "../../../src/lib/supervisor.ts";
import { collarKey } from "../../../src/sources/pettracer/decode.ts";
import { newestFirmware } from "../../../src/sources/pettracer/firmware.ts";
import { accountOptions } from "../../../src/sources/pettracer/options.ts";
import { createPhotoAlbum } from "../../../src/sources/pettracer/photo.ts";
import { createSession } from "../../../src/sources/pettracer/session.ts";
import { createPetTracerSource } from "../../../src/sources/pettracer/source.ts";
import { createStore } from "../../../src/store/store.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { SECRET, watchedLog } from "../watched-log.ts";
import { everythingOf, NOW } from "./message.ts";
import { checkPublished } from "./published.ts";

const CALLS = ["/user/login", "/map/getccs", "/user/gethomestations", "/map/getccpositions", "/image/", "/firmware"];
const ID = 14758;

function good(body: unknown): string {
  return `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${JSON.stringify(body)}`;
}

const GOOD = [
  good({ id: 1, name: "Alex", access_token: SECRET, expires: "2099-01-01" }),
  good([{ id: ID, details: { name: "Oreo", image: "img1" } }]),
  good([{ id: 10775, type: 1 }]),
  good([{ posLat: 1, posLong: 2, timeMeasure: "2026-06-01T10:00:00.000+0000" }]),
  good("no picture"),
  good({ collar: { version: "10.5.0", notes: { en: "Better" } } }),
];

export const rest: Target = {
  name: "rest",
  dictionary: [
    "\u001e",
    "HTTP/1.1 ",
    "HTTP/9.9",
    "200",
    "204",
    "301",
    "401",
    "429",
    "500",
    "999",
    "\r\n\r\n",
    "Retry-After: ",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n\r\n",
    "Content-Encoding: gzip\r\n",
    "ffffffff\r\n",
    "Location: http://127.0.0.1:1/\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    '"access_token":',
    '[{"id":1}]',
    "<html>",
    '"image":"../../x"',
    '"image":"javascript:alert(1)"',
    '"image":"file:///etc/passwd"',
    '"image":"\\ud800"',
  ],
  runs: 60,
  open,
};

async function open(): Promise<Trial> {
  let answers: readonly (string | Buffer)[] = GOOD;
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (request) => {
      const [, path = ""] = request.toString("latin1").split(" ");
      asked.push(path);
      const index = CALLS.findIndex((call) => path.replace(/^\/api/, "").startsWith(call));
      socket.end(answers[Math.max(index, 0)] ?? GOOD[Math.max(index, 0)] ?? "");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const options = accountOptions.parse({ username: "a", password: "b", portal_url: `${base}/api` });
  const { log, scrubber, look } = await watchedLog("json");
  const { signal } = new AbortController();
  const expected = (error: unknown): undefined => {
    ensure(error instanceof RecoverableError || error instanceof FatalError, `no error of ours: ${String(error)}`);
    ensure(error.message.length < 3_000, "a sentence that is too long");
    log.warn(error.message);
    return undefined;
  };

  /** @returns how many collars were listed */
  async function list(): Promise<number> {
    const store = createStore({ version: "1", startedAt: NOW, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 0 });
    store.dispatch({ type: "accountConfigured", account: "pettracer" });
    const source = createPetTracerSource("pettracer", options, { log, scrubber });
    await source.list(store.dispatch, signal).catch(expected);
    checkPublished(everythingOf(store.state, []));
    const span = { fromAt: NOW - 86_400_000, toAt: NOW };
    try {
      for await (const _ of source.positions?.(collarKey(ID), span, signal) ?? []);
    } catch (error) {
      expected(error);
    }
    const session = createSession(options, { scrubber });
    const collar = { key: "pettracer_1", id: 1, product: { manufacturer: "", model: "", website: "" } };
    await createPhotoAlbum(session, log).fetch([{ ...collar, report: { image: "img1" } }], () => {}, signal);
    const keep = { read: () => undefined, write: (value: object) => void JSON.stringify(value) };
    await newestFirmware(`${base}/firmware`, keep, log, signal);
    await findBroker({ apiUrl: `${base}/map/getccs?`, token: SECRET }, signal).catch(expected);
    look();
    return [...store.state.values()].filter(({ kind }) => kind === "collar").length;
  }

  return {
    async try(input) {
      answers = input
        .toString("latin1")
        .split("\u001e")
        .map((text) => Buffer.from(text, "latin1"));
      await list();
    },
    async close() {
      answers = GOOD;
      const found = await list();
      server.close();
      ensure(found === 1, "a good listing does not come through any more");
      ensure(!asked.some((path) => path.includes(SECRET)), "the token stands in an address");
    },
  };
}
