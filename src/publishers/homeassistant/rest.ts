/** Home Assistant's REST API, for what its WebSocket API does not offer. */
import { RecoverableError } from "../../lib/errors.ts";
import { type HttpAnswer, request } from "../../lib/http.ts";
import type { z } from "../../lib/schema.ts";
import { CallRefused, tokenRefused } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";

export interface Rest {
  /**
   * @param path behind `/api`, with a slash at its start
   * @throws FatalError for a refused token, CallRefused for any other answer that is no success (its code is the HTTP
   *   status), RecoverableError
   */
  post<Result>(path: string, body: object, result: z.ZodType<Result>): Promise<Result>;
  /** Resolves to false where there is nothing. @throws as `post` */
  remove(path: string): Promise<boolean>;
}

export function createRest({ restUrl, token, tls, name }: Endpoint, signal: AbortSignal): Rest {
  const how = { signal, token, tls };
  return {
    async post(path, body, result) {
      const answer = succeeded(await request(`${restUrl}${path}`, { ...how, body }), name);
      const parsed = result.safeParse(jsonOf(answer));
      if (parsed.success) return parsed.data;
      throw new RecoverableError(`the answer of ${name} to ${path} makes no sense`);
    },
    async remove(path) {
      const answer = await request(`${restUrl}${path}`, { ...how, method: "DELETE" });
      if (answer.status === 404) return false;
      succeeded(answer, name);
      return true;
    },
  };
}

function succeeded(answer: HttpAnswer, name: string): HttpAnswer {
  if (answer.status >= 200 && answer.status <= 299) return answer;
  // Whatever was tried with it after that would count towards a ban of our address.
  if (answer.status === 401) throw tokenRefused(name);
  throw new CallRefused(String(answer.status), `${name} refused a request (HTTP ${answer.status})`);
}

function jsonOf({ bytes }: HttpAnswer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
