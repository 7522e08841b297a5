/** What `pawline check` wants to know: whether the page can be served where it is to be. */
import { describeError } from "../../lib/errors.ts";
import type { Finding } from "../../lib/finding.ts";
import { isLoopback } from "../../lib/loopback.ts";
import { get } from "../../lib/node-http.ts";
import type { TokenKeeper } from "../../tokens/keeper.ts";
import { lacksToken, noTokenAt } from "./access/missing-token.ts";
import type { LiveOptions } from "./options.ts";
import { addressOf, openServer } from "./server.ts";

const PART = "Live page";
const PATIENCE_MS = 3_000;

/** Opens the port for a moment; one that is taken by a Pawline that runs is as it should be. */
export async function* probe(options: LiveOptions, tokens: TokenKeeper, signal: AbortSignal): AsyncGenerator<Finding> {
  const address = addressOf(options);
  if (lacksToken(options, tokens)) return yield { part: PART, result: "refused", sentence: noTokenAt(options) };
  try {
    const server = await openServer(options, (http) => {
      http.on("request", (_, response) => response.writeHead(503).end());
    });
    await server.close();
    yield { part: PART, result: "works", sentence: `it can be served at ${address}/` };
  } catch (error) {
    if (await isServed(options, signal)) yield { part: PART, result: "works", sentence: `is served at ${address}/` };
    else yield { part: PART, result: "unreachable", sentence: describeError(error) };
  }
}

/** Whether a Pawline answers there. */
function isServed(options: LiveOptions, signal: AbortSignal): Promise<boolean> {
  const host = isLoopback(options.host) ? options.host : "127.0.0.1";
  const either = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  return new Promise((resolve) => {
    get(`${addressOf({ ...options, host })}/healthz`, { agent: false, signal: either }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body = (body + part).slice(0, 1_000);
      });
      response.on("error", () => resolve(false));
      response.on("end", () => resolve(response.statusCode === 200 && body.startsWith('{"status":"ok"')));
    }).on("error", () => resolve(false));
  });
}
