/** The HTTP API as an OpenAPI document, made from the schemas that check what goes in and out. */
import { z } from "../../../lib/schema.ts";
import { schemasOf, without } from "./json-schema.ts";
import * as requests from "./requests.ts";
import { bridge, commandBody, device, ERROR_CODES, problem, stats, track } from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;

const SCHEMAS = "#/components/schemas/";

/** @param version of Pawline */
export function openApiDocument(version: string): Json {
  const described = paths();
  return {
    openapi: "3.1.1",
    info: {
      title: "Pawline's live API",
      version,
      description: `What Pawline knows of your cats, and how to send them commands. Errors have one of the codes ${ERROR_CODES.join(", ")}.`,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "Where Pawline serves; another path behind a proxy" }],
    security: [{ token: [] }, { session: [] }],
    tags: [{ name: "devices" }, { name: "events" }, { name: "pawline" }, { name: "session" }],
    paths: described,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Made with `pawline token create`" },
        session: { type: "apiKey", in: "cookie", name: "pawline_session" },
      },
      responses: PROBLEMS,
      schemas: schemasOf(SCHEMAS, [described, PROBLEMS]),
    },
  };
}

function paths(): Json {
  return {
    "/api/devices": {
      get: operation("listDevices", "devices", "All devices", {
        parameters: query(requests.devicesQuery),
        responses: { 200: ok("Devices", requests.devicesAnswer), ...NOT_MODIFIED },
      }),
    },
    "/api/devices/{id}": {
      get: operation("getDevice", "devices", "One device", {
        parameters: [DEVICE_ID],
        responses: { 200: ok("The device", device), ...NOT_MODIFIED, ...refusals(404) },
      }),
    },
    "/api/devices/{id}/photo": {
      get: operation("getPhoto", "devices", "The pet's picture", {
        parameters: [DEVICE_ID],
        responses: {
          200: { description: "The picture", content: { "image/jpeg": {}, "image/png": {} } },
          ...NOT_MODIFIED,
          ...refusals(404),
        },
      }),
    },
    "/api/devices/{id}/track": {
      get: operation("getTrack", "devices", "The way that a pet has gone, of 31 days at most", {
        parameters: [DEVICE_ID, ...query(requests.trackQuery)],
        responses: { 200: TRACK, ...NOT_MODIFIED, ...refusals(404, 503) },
      }),
    },
    "/api/devices/{id}/commands": {
      post: operation("sendCommand", "devices", "Ask something of a collar; needs the scope control", {
        parameters: [DEVICE_ID, PREFER],
        requestBody: { required: true, content: jsonOf(commandBody) },
        responses: {
          200: ok("The cloud has confirmed it", requests.commandAnswer),
          202: ok("It is on its way, and the wait is over", requests.commandAnswer),
          ...refusals(404, 409, 413, 415, 422, 502, 503),
        },
      }),
    },
    "/api/events": {
      get: operation("listEvents", "events", "What happened", {
        parameters: query(requests.eventsQuery),
        responses: { 200: ok("Events", requests.eventsAnswer), ...NOT_MODIFIED },
      }),
    },
    "/api/bridge": {
      get: operation("getBridge", "pawline", "How Pawline is", {
        responses: { 200: ok("Pawline itself", bridge), ...NOT_MODIFIED },
      }),
    },
    "/api/stats": {
      get: operation("getStats", "pawline", "What the live API has done, and what it takes", {
        responses: { 200: ok("Statistics", stats) },
      }),
    },
    "/api/session": {
      get: operation("getSession", "session", "Who is asking, and what they may", {
        responses: { 200: ok("Who is asking", requests.sessionAnswer) },
      }),
      post: operation("openSession", "session", "Show a token once, and be known by a cookie from then on", {
        security: [],
        requestBody: { required: true, content: jsonOf(requests.sessionBody) },
        responses: { 200: ok("The session is open", requests.sessionAnswer), ...refusals(413, 415) },
      }),
      delete: operation("closeSession", "session", "End the session", {
        security: [],
        responses: { 204: { description: "There is no session any more" } },
      }),
    },
    "/healthz": {
      get: operation("getHealth", "pawline", "Whether Pawline lives", {
        security: [],
        responses: { 200: ok("It lives", requests.health) },
      }),
    },
    "/readyz": {
      get: operation("getReadiness", "pawline", "Whether all devices are known and published", {
        security: [],
        responses: { 200: ok("It is ready", requests.readiness), 503: ok("It is not", requests.readiness) },
      }),
    },
    "/metrics": {
      get: operation("getMetrics", "pawline", "Metrics for Prometheus; this computer needs no token", {
        responses: { 200: { description: "Metrics", content: { "text/plain": { schema: { type: "string" } } } } },
      }),
    },
  };
}

interface Operation {
  readonly responses: Json;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly security?: readonly Json[];
}

function operation(operationId: string, tag: string, summary: string, { responses, ...rest }: Operation): Json {
  return { operationId, tags: [tag], summary, ...rest, responses: { ...responses, ...refusals(...EVERYWHERE) } };
}

function ok(description: string, schema: z.ZodType): Json {
  return { description, content: jsonOf(schema) };
}

function jsonOf(schema: z.ZodType): Json {
  return { "application/json": { schema: refTo(schema) } };
}

function refTo(schema: z.ZodType): Json {
  const { id } = schema.meta() ?? {};
  if (id === undefined) throw new TypeError("a shape of the API has no name");
  return { $ref: SCHEMAS + id };
}

/** What may stand behind the question mark. */
function query({ shape }: z.ZodObject): Json[] {
  return Object.entries(shape).map(([name, part]) => {
    if (!(part instanceof z.ZodType)) throw new TypeError("no schema");
    const { description } = part.meta() ?? {};
    const schema = without(parameterSchema(part), "$schema", "description");
    return { name, in: "query", required: false, ...(description !== undefined && { description }), schema };
  });
}

/** What stands in an address is text; where it is read as a number, a number is what it is to be. */
function parameterSchema(part: z.ZodType): object {
  const read = z.toJSONSchema(part, { io: "output", unrepresentable: "any" });
  return read.type === undefined ? z.toJSONSchema(part, { io: "input", unrepresentable: "any" }) : read;
}

const DEVICE_ID: Json = {
  name: "id",
  in: "path",
  required: true,
  description: "The device, such as `pettracer_14758`",
  schema: { type: "string" },
};
const PREFER: Json = {
  name: "Prefer",
  in: "header",
  required: false,
  description:
    "`wait=N`: wait N seconds for the cloud's answer, 10 without it, 60 at most; `respond-async`: do not wait",
  schema: { type: "string" },
};
const TRACK: Json = {
  description: "The track",
  content: {
    ...jsonOf(track),
    "application/geo+json": { schema: refTo(requests.featureCollection) },
    "application/gpx+xml": { schema: { type: "string" } },
  },
};
const NOT_MODIFIED: Json = { 304: { description: "It is what If-None-Match names" } };

const EVERYWHERE = [400, 401, 403, 429, 500] as const;
const MEANINGS: Readonly<Record<number, string>> = {
  400: "The request is not valid",
  401: "A token is needed, or this one is wrong",
  403: "The token has not the scope, or the page is of another origin",
  404: "There is no such device",
  409: "A newer command took its place",
  413: "The body is too large",
  415: "The body is no JSON",
  422: "The device does not take this command",
  429: "Too many requests, or too many wrong tokens: wait as long as Retry-After says",
  500: "A defect",
  502: "The cloud refused the command, or the collar did not take it",
  503: "It cannot be served at the moment",
};

const PROBLEMS: Json = Object.fromEntries(
  Object.entries(MEANINGS).map(([status, description]) => {
    return [`Problem${status}`, { description, content: { "application/problem+json": { schema: refTo(problem) } } }];
  }),
);

function refusals(...statuses: readonly number[]): Json {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]));
}
