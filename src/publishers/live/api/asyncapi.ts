/** The WebSocket API as an AsyncAPI document, made from the schemas that check what goes in and out. */
import { schemasOf } from "./json-schema.ts";
import {
  askStats,
  command,
  failure,
  message,
  pending,
  ping,
  pong,
  result,
  subscribe,
  subscribed,
  unsubscribe,
  unsubscribed,
  welcome,
} from "./messages.ts";

type Json = Readonly<Record<string, unknown>>;

const SCHEMAS = "#/components/schemas/";

/** In a client's requests the schemas themselves say what is what; here it is why somebody would send one. */
const REQUESTS = [
  { schema: subscribe, does: "Asks for what is known of topics, and to be told what changes", replies: [subscribed] },
  { schema: unsubscribe, does: "Ends a subscription", replies: [unsubscribed] },
  { schema: command, does: "Asks something of a collar; takes the scope control", replies: [pending, result] },
  { schema: ping, does: "Asks whether anybody is there", replies: [pong] },
  { schema: askStats, does: "Asks what the API has done", replies: [result] },
];
const TOLD = [
  { schema: welcome, does: "The first message: who you are to Pawline, and what you may" },
  { schema: message, does: "What has changed of what a subscription is about" },
];
const ANSWERS = [
  { schema: subscribed, does: "What is known; what changes from here on is told" },
  { schema: unsubscribed, does: "Nothing more is told of it" },
  { schema: pending, does: "A command is on its way: first to the cloud, then (accepted) to the collar" },
  { schema: result, does: "It is done" },
  { schema: failure, does: "It is not: a code for programs, and a sentence for people" },
  { schema: pong, does: "Somebody is there" },
];

/** @param version of Pawline */
export function asyncApiDocument(version: string): Json {
  const all = [...REQUESTS, ...TOLD, ...ANSWERS];
  const messages = Object.fromEntries(all.map(({ schema, does }) => [nameOf(schema), messageOf(nameOf(schema), does)]));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Pawline's WebSocket API",
      version,
      description: "Where your cats are, and what happens to them, as it happens; and commands for their collars.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: { pawline: SERVER },
    channels: { live: channelOf(Object.keys(messages)) },
    operations: { ...Object.fromEntries(REQUESTS.map(operationOf)), tell: tell() },
    components: { messages, schemas: schemasOf(SCHEMAS, messages), securitySchemes: SECURITY },
  };
}

const SERVER = {
  host: "127.0.0.1:8099",
  protocol: "ws",
  description: "Where Pawline serves: `live.host` and `live.port`; another path behind a proxy",
  security: [{ $ref: "#/components/securitySchemes/token" }, { $ref: "#/components/securitySchemes/session" }],
};

const SECURITY = {
  token: { type: "http", scheme: "bearer", description: "Made with `pawline token create`" },
  session: { type: "httpApiKey", in: "cookie", name: "pawline_session", description: "Of a browser" },
};

/** Every schema of a message has a name. */
function nameOf(schema: { meta(): { id?: string | undefined } | undefined }): string {
  return schema.meta()?.id ?? "";
}

function messageOf(name: string, summary: string): Json {
  return { name, title: name, summary, contentType: "application/json", payload: { $ref: `${SCHEMAS}${name}` } };
}

function channelOf(names: readonly string[]): Json {
  return {
    address: "/api/ws",
    description: "Text frames with one JSON object each; subprotocol `pawline.v1`.",
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
  };
}

const CHANNEL = { $ref: "#/channels/live" };

function inChannel(schema: Parameters<typeof nameOf>[0]): Json {
  return { $ref: `#/channels/live/messages/${nameOf(schema)}` };
}

function operationOf({ schema, does, replies }: (typeof REQUESTS)[number]): [string, Json] {
  const name = nameOf(schema);
  const reply = { channel: CHANNEL, messages: [...replies, failure].map(inChannel) };
  const key = name.charAt(0).toLowerCase() + name.slice(1);
  return [key, { action: "receive", channel: CHANNEL, summary: does, messages: [inChannel(schema)], reply }];
}

function tell(): Json {
  const summary = "Greets, and tells what changes";
  return { action: "send", channel: CHANNEL, summary, messages: TOLD.map(({ schema }) => inChannel(schema)) };
}
