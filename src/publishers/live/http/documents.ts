/** The API's own description, for programs that make clients of it. */
import { VERSION } from "../../../lib/about.ts";
import { asyncApiDocument } from "../api/asyncapi.ts";
import { openApiDocument } from "../api/openapi.ts";
import { type Answer, json } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";

export function documentEndpoints(): Endpoint[] {
  return [
    documentEndpoint("/api/openapi.json", () => openApiDocument(VERSION)),
    documentEndpoint("/api/asyncapi.json", () => asyncApiDocument(VERSION)),
  ];
}

/** It is made when somebody asks for the first time: few ever do. */
function documentEndpoint(path: string, make: () => object): Endpoint {
  let answer: Answer | undefined;
  return {
    method: "GET",
    path,
    needs: "public",
    answer: () => {
      answer ??= json(make());
      return answer;
    },
  };
}
