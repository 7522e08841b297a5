/** Small pictures of numbers: a battery and the bars of a signal. The number stands beside them in words. */
import { svg } from "./icons.ts";

export interface Gauge {
  readonly element: SVGSVGElement;
  readonly show: (value: number | null) => void;
}

const WIDEST = 15;

/** Shows percent. */
export function createBattery(): Gauge {
  const fill = svg("rect", { x: "4.500", y: "9.500", width: "0", height: "5", rx: "1", class: "fill" });
  const drawing = svg("svg", { viewBox: "0 0 26 24", class: "icon gauge", "aria-hidden": "true", focusable: "false" });
  drawing.append(
    svg("rect", { x: "2", y: "7", width: "20", height: "10", rx: "2.500" }),
    svg("path", { d: "M24.500 10.500v3" }),
    fill,
  );
  return {
    element: drawing,
    show: (percent) => fill.setAttribute("width", String(Math.round(((percent ?? 0) / 100) * WIDEST * 10) / 10)),
  };
}

/** Shows 0 to 4 bars. */
export function createSignal(): Gauge {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "icon gauge", "aria-hidden": "true", focusable: "false" });
  const bars = [0, 1, 2, 3].map((index) => {
    const height = 4 + index * 4;
    return svg("rect", { x: `${3 + index * 5}`, y: `${20 - height}`, width: "3", height: `${height}`, rx: "1" });
  });
  drawing.append(...bars);
  return {
    element: drawing,
    show(value) {
      for (const [index, bar] of bars.entries()) bar.setAttribute("class", index < (value ?? 0) ? "bar full" : "bar");
    },
  };
}
