/** What happened, the newest first. */
import type { ApiEvent } from "../../publishers/live/api/schema.ts";
import type { Reader } from "../model/card.ts";
import { msOf } from "../model/words.ts";
import { element, sentenceWithName, setChildren, setShown, setText } from "./dom.ts";

export interface Events {
  readonly element: HTMLElement;
  readonly show: (events: readonly ApiEvent[], reader: Reader) => void;
}

const BAD = new Set(["battery_low", "command_failed", "contact_lost"]);

export function createEvents(): Events {
  const empty = element("p", { class: "empty" });
  const list = element("ol", { class: "events", role: "list" });
  // By the event itself: its number may be that of another one after Pawline has lost what it had kept.
  const items = new WeakMap<ApiEvent, HTMLElement>();
  return {
    element: element("div", {}, empty, list),
    show(events, reader) {
      setText(empty, reader.texts.eventList.empty);
      setShown(empty, events.length === 0);
      const shown = events.map((event) => {
        const item = items.get(event) ?? itemOf(event, reader);
        items.set(event, item);
        showTime(item, event, reader);
        return item;
      });
      setChildren(list, shown);
    },
  };
}

function itemOf(event: ApiEvent, { texts }: Reader): HTMLElement {
  const sentence = texts.eventList.sentences[event.type] ?? texts.eventList.other;
  const item = element("li", { class: BAD.has(event.type) ? "event bad" : "event" });
  item.append(element("p", {}, ...sentenceWithName(sentence, event.name ?? event.device)));
  const more = detailOf(event, texts.eventList);
  if (more !== undefined) item.append(element("p", { class: "more" }, more));
  item.append(element("time", { datetime: event.at ?? undefined }));
  return item;
}

function detailOf(event: ApiEvent, texts: Reader["texts"]["eventList"]): string | undefined {
  if (event.type === "mode_changed" && typeof event.mode === "string") return texts.modeChanged({ mode: event.mode });
  if (event.type === "command_failed" && typeof event.reason === "string") {
    return texts.commandFailed({ reason: event.reason });
  }
  return undefined;
}

function showTime(item: HTMLElement, event: ApiEvent, { words, nowMs }: Reader): void {
  const at = msOf(event.at);
  const time = item.lastElementChild;
  if (time !== null && at !== undefined)
    setText(time, `${words.time(at, nowMs)} · ${words.ago(Math.min(at, nowMs), nowMs)}`);
}
