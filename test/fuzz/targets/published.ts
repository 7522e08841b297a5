/** What must hold for every message that goes out, whatever has come in. */
import { complaints } from "../../support/hygiene.ts";
import type { Message } from "../../support/recorder.ts";
import { ensure } from "../target.ts";

const NAMES = { base: "pawline", prefix: "homeassistant" };
/** What a broker takes, level by level. */
const TOPIC = /^(?:[\w.-]+\/)+[\w.-]+$/;

export function checkPublished(
  sent: readonly { readonly topic: string; readonly payload: string | Uint8Array }[],
): void {
  const messages = sent.map(({ topic, payload }, index): Message => {
    ensure(TOPIC.test(topic) && topic.length < 500, `no topic: ${JSON.stringify(topic.slice(0, 300))}`);
    const text = typeof payload === "string" ? payload : "";
    ensure(text.length < 100_000, `${text.length} characters on ${topic}`);
    ensure(!/\p{Cc}/u.test(text) && text.isWellFormed(), `${topic}: raw control characters, or halves of characters`);
    checkTemplates(topic, text);
    return { index, topic, payload: text, qos: 1, retain: false, at: 0 };
  });
  const found = complaints(messages, NAMES);
  ensure(found.length === 0, found.join("\n"));
}

/** The keys of a description that Home Assistant takes for templates hold ours, and nothing else. */
const OURS = /^\{\{ value_json\.\w+ \}\}$|^\{\{ \{('\w+': value_json\.\w+(, )?)+\} \| tojson \}\}$/;

function checkTemplates(topic: string, payload: string): void {
  if (!topic.endsWith("/config") || payload === "") return;
  JSON.parse(payload, (key, value: unknown) => {
    const isTemplate = key.endsWith("_template");
    ensure(!isTemplate || OURS.test(String(value)), `${topic}: a template that is not ours: ${String(value)}`);
    return value;
  });
}
