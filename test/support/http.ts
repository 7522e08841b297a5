/** Plain HTTP as a monitor or a browser would speak it, on a connection of its own for each request. */
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  /** The address that the request comes from. */
  readonly from?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask(url: string, { method = "GET", headers = {}, body: said, from }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const text = said === undefined || typeof said === "string" ? said : JSON.stringify(said);
    // Without its length a body would be taken for the next request, where the method usually has none.
    const type =
      text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
    const options = {
      method,
      headers: { ...type, ...headers },
      agent: false,
      ...(from !== undefined && { localAddress: from }),
    };
    const call = request(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    call.on("error", reject);
    call.end(text);
  });
}

/** Sends these bytes and gives what comes back until the other side closes; an error only for one that never does. */
export function askRaw(port: number, bytes: string | Uint8Array, ms = 15_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => reject(new Error(`neither answered nor closed within ${ms} ms`)), ms);
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (part) => {
      answer += String(part);
    });
    // A reset is an end, too.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.end(bytes);
  });
}
