/** A cat's day: which day, how far it went, and a slider that goes through it. */
import type { TrailState } from "../model/trail-state.ts";
import type { Texts } from "../texts/texts.ts";
import { element, setAttribute, setShown, setText } from "./dom.ts";
import { type IconName, icon } from "./icons.ts";

export interface TrailActions {
  readonly moveTo: (atMs: number) => void;
  /** Days, back or forth. */
  readonly step: (days: number) => void;
  readonly choose: (day: string) => void;
  readonly follow: () => void;
  readonly close: () => void;
}

export interface TrailPanel {
  readonly element: HTMLElement;
  readonly show: (state: TrailState | undefined) => void;
}

const STEP_MS = 60_000;

export function createTrailPanel({ trail: texts }: Texts, actions: TrailActions): TrailPanel {
  const heading = element("h2", { id: "trail-heading" });
  const day = element("input", { type: "date", "aria-label": texts.day });
  const before = iconButton("before", texts.dayBefore, () => actions.step(-1));
  const after = iconButton("after", texts.dayAfter, () => actions.step(1));
  const close = iconButton("close", texts.close, actions.close);
  const download = element("a", { class: "button small" }, icon("download"), "GPX");
  setAttribute(download, "aria-label", texts.download);
  const slider = element("input", { type: "range", class: "slider", "aria-label": texts.time });
  const clock = element("output", { class: "clock", "aria-hidden": "true" });
  const whereabouts = element("p", { class: "whereabouts", "aria-hidden": "true" });
  const now = element("button", { type: "button", class: "button small" }, texts.now);
  const summary = element("p", { class: "summary" });
  const note = element("p", { class: "note" });
  const box = element(
    "section",
    { class: "trail", "aria-labelledby": "trail-heading", hidden: true },
    element("div", { class: "trail-head" }, heading, close),
    element("div", { class: "trail-days" }, before, day, after, download),
    element("div", { class: "trail-time" }, clock, slider, now),
    element("div", { class: "trail-words" }, whereabouts, summary, note),
  );
  slider.addEventListener("input", () => actions.moveTo(Number(slider.value)));
  now.addEventListener("click", actions.follow);
  day.addEventListener("change", () => day.value !== "" && actions.choose(day.value));

  return {
    element: box,
    show(state) {
      setShown(box, state !== undefined);
      if (state === undefined) return;
      setText(heading, texts.heading({ name: state.name }));
      if (day.value !== state.day && document.activeElement !== day) day.value = state.day;
      after.disabled = state.isToday;
      setAttribute(download, "href", state.download.href);
      setAttribute(download, "download", state.download.file);
      showSlider(slider, state);
      setText(clock, state.clock);
      setText(whereabouts, state.whereabouts);
      setShown(now, state.isToday);
      setAttribute(now, "aria-pressed", String(state.isFollowing));
      setText(summary, state.summary);
      setText(note, state.note);
    },
  };
}

/** Whole minutes from the day's beginning; its end is a step of its own, or it could not be reached. */
function showSlider(slider: HTMLInputElement, { fromMs, toMs, atMs, clock, whereabouts }: TrailState): void {
  const last = fromMs + Math.ceil((toMs - fromMs) / STEP_MS) * STEP_MS;
  setAttribute(slider, "min", fromMs);
  setAttribute(slider, "max", last);
  setAttribute(slider, "step", STEP_MS);
  const value = String(Math.min(last, fromMs + Math.ceil((atMs - fromMs) / STEP_MS) * STEP_MS));
  if (slider.value !== value) slider.value = value;
  setAttribute(slider, "aria-valuetext", `${clock}, ${whereabouts}`);
  slider.style.setProperty("--part", `${((Number(value) - fromMs) / Math.max(1, last - fromMs)) * 100}%`);
}

function iconButton(name: IconName, label: string, pressed: () => void): HTMLButtonElement {
  const button = element("button", { type: "button", class: "plain", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", pressed);
  return button;
}
