/** What stands behind the question mark of an address. */
import type { z } from "../../../lib/schema.ts";
import { checked } from "./body.ts";
import { RequestError } from "./problem.ts";

/** @throws RequestError for a name that is not known or stands there twice, and for a value that is none */
export function readQuery<Of>(url: string, schema: z.ZodType<Of>): Of {
  const [, ...rest] = url.split("?");
  const pairs = [...new URLSearchParams(rest.join("?"))];
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    const errors = [{ path: twice, message: "stands there twice" }];
    throw new RequestError(400, "invalid_request", "A name stands in the address twice: leave one out.", { errors });
  }
  return checked(Object.fromEntries(pairs), schema);
}
