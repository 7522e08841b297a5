/** The AsyncAPI document: valid by the schema of its makers, whole, and true to what is said on the wire. */
import specs from "@asyncapi/specs";
import { Ajv } from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { asyncApiDocument } from "../../../src/publishers/live/api/asyncapi.ts";
import { clientMessage, serverMessage } from "../../../src/publishers/live/api/messages.ts";
import { createHerd } from "../../support/herd.ts";
import { startLive } from "../../support/live.ts";
import { openSockets } from "../../support/sockets.ts";

const document = asyncApiDocument("1.2.3") as {
  channels: { live: { messages: Record<string, { $ref: string }> } };
  operations: Record<
    string,
    { action: string; messages: { $ref: string }[]; reply?: { messages: { $ref: string }[] } }
  >;
  components: { messages: Record<string, { payload: { $ref: string } }>; schemas: Record<string, object> };
};

test("it is valid", () => {
  // It brings the schema of schemas along.
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats.default(ajv);
  const validate = ajv.compile(specs.schemas["3.0.0"] as object);
  validate(document);
  expect(validate.errors).toBeNull();
  expect(validate({ ...document, channels: { live: { address: 1 } } })).toBe(false);
});

test("each reference leads somewhere, and what is there is referred to", () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref = ""]) => ref);
  for (const ref of refs) {
    const target = ref.split("/").reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], document);
    expect(target, ref).toBeDefined();
  }
  const { schemas, messages } = document.components;
  for (const name of Object.keys(schemas)) expect(refs).toContain(`components/schemas/${name}`);
  for (const name of Object.keys(messages)) expect(refs).toContain(`channels/live/messages/${name}`);
});

test("it has every message that is sent or understood", () => {
  const types = (union: { options: readonly { meta(): { id?: string | undefined } | undefined }[] }) =>
    union.options.map((option) => option.meta()?.id);
  const all = [...types(clientMessage), ...types(serverMessage)];
  expect(new Set(Object.keys(document.components.messages))).toEqual(new Set(all));
  const received = Object.values(document.operations).filter(({ action }) => action === "receive");
  expect(received.flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split("/").at(-1)))).toEqual(
    types(clientMessage),
  );
});

test("what is said on the wire is what it describes", async (context) => {
  const herd = createHerd();
  herd.list("one", [1], [1]);
  const sockets = await openSockets(context, herd.store);
  const client = await sockets.connect();
  const { subscription } = await client.subscribe(["#"], { after: 0 });
  herd.move(1, 51);
  herd.report(1, { home: true });
  herd.report(1, { home: false });
  await client.ask({ type: "stats" });
  await client.ask({ type: "unsubscribe", subscription });
  await client.ask({ type: "command", device: "pettracer_1", command: "light", value: true });
  await client.ask({ type: "command", device: "nobody", command: "find" });
  await client.settled();
  const ajv = new Ajv2020.default({ strict: false, schemas: [{ $id: "https://pawline.test/api", ...document }] });
  addFormats.default(ajv);
  const names = new Map([
    ["welcome", "Welcome"],
    ["subscribed", "Subscribed"],
    ["unsubscribed", "Unsubscribed"],
    ["pending", "Pending"],
    ["result", "Result"],
    ["error", "Error"],
    ["pong", "Pong"],
    ["message", "Message"],
  ]);
  expect(new Set(client.heard.map(({ type }) => type))).toEqual(new Set(names.keys()));
  for (const one of client.heard) {
    const ref = `https://pawline.test/api#/components/schemas/${names.get(one.type)}`;
    const validate = ajv.compile({ $ref: ref });
    expect(validate(one), JSON.stringify([validate.errors, one]).slice(0, 500)).toBe(true);
  }
});

test("it is served to everybody", async (context) => {
  const live = await startLive(context, createHerd().store.state);
  const answer = await fetch(`${live.url}/api/asyncapi.json`);
  expect(answer.headers.get("content-type")).toContain("application/json");
  expect(await answer.json()).toMatchObject({ asyncapi: "3.0.0", channels: { live: { address: "/api/ws" } } });
});
