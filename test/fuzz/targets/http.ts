/** The bytes that a browser, or anybody on this computer, sends to the status page. The record separator is a pause. */
import { connect } from "node:net";
import { createCat } from "../../support/cat.ts";
import { ask } from "../../support/http.ts";
import { startLive } from "../../support/live.ts";
import { ensure, type Target, type Trial } from "../target.ts";

export const http: Target = {
  name: "http",
  dictionary: [
    "GET ",
    "HEAD ",
    "POST ",
    "/",
    "/api/status",
    "/metrics",
    "/healthz",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    "\r\n",
    "\r\n\r\n",
    "Host: localhost\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: websocket\r\nConnection: upgrade\r\n",
    "\u001e",
    "%00",
    "..%2f",
    "?",
    "#",
    "Accept-Language: ",
  ],
  runs: 250,
  open,
};

async function open(): Promise<Trial> {
  const { state } = createCat({ name: '<img src=x onerror="alert(1)">' }).store;
  const ends: (() => Promise<void> | void)[] = [];
  const live = await startLive({ onTestFinished: (end) => void ends.push(end as never) }, state);
  return {
    async try(input) {
      const answer = await send(live.port, input);
      const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status));
      const known = [100, 200, 400, 403, 404, 405, 408, 413, 414, 417, 431, 503];
      ensure(
        statuses.every((status) => known.includes(status)),
        `it answered ${statuses.join()}`,
      );
      const pages = answer.split("HTTP/1.1 200 OK").filter((part) => part.includes("content-type: text/html"));
      ensure(!pages.some((page) => page.includes("<img src=x")), "a name is an element of the page");
      ensure(!live.log().includes("defect"), live.log());
    },
    async close() {
      const { status } = await ask(`${live.url}/healthz`);
      for (const end of ends) await end();
      ensure(status === 200, "it answers no more");
    },
  };
}

/** What comes back until the other side closes. */
function send(port: number, input: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (part) => {
      answer += String(part);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.on("connect", () => {
      for (const piece of input.toString("latin1").split("\u001e")) socket.write(piece, "latin1");
      socket.end();
    });
  });
}
