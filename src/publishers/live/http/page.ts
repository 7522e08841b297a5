/** The page, for whoever may see one at all: who is allowed to see cats is asked by what it asks for. */
import type { LiveOptions } from "../options.ts";
import type { Answer } from "./answer.ts";
import type { Asked, Endpoint } from "./endpoint.ts";
import { codingFor, type PageFile, readPage } from "./page-files.ts";

export function pageEndpoints(options: LiveOptions, files = readPage(options)): Endpoint[] {
  const endpoint = (path: string, answer: (asked: Asked) => Answer): Endpoint => {
    return { method: "GET", path, needs: "public", answer };
  };
  if (files.size === 0) return [endpoint("/", () => NOT_BUILT)];
  return [...files].map(([path, file]) => endpoint(path, ({ request }) => answerWith(file, request.headers)));
}

const NOT_BUILT: Answer = {
  status: 503,
  type: "text/plain; charset=utf-8",
  body: "The page has not been built: run `npm run build`, and start Pawline again.\n",
};

function answerWith(file: PageFile, wishes: Parameters<typeof codingFor>[1]): Answer {
  const coding = codingFor(file, wishes);
  const packed = coding === "identity" ? {} : { "content-encoding": coding };
  return {
    body: file.bodies[coding] ?? file.bodies.identity,
    headers: { ...file.headers, ...packed, vary: "accept-encoding" },
  };
}
