/** The page's signs: lines on a field of 24 by 24. They never stand alone, a word is always with them. */

const LINES = {
  home: ["M4 11.500 12 5l8 6.500", "M6 10v9h12v-9", "M10.500 19v-5h3v5"],
  pin: [
    "M12 21s-6.500-6-6.500-11a6.500 6.500 0 0 1 13 0c0 5-6.500 11-6.500 11z",
    "M12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  ],
  contact: [
    "M12 13v7",
    "M12 13a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
    "M7.500 15.500a6.300 6.300 0 0 1 0-9",
    "M16.500 15.500a6.300 6.300 0 0 0 0-9",
  ],
  live: [
    "M12 12h.01",
    "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
    "M12 2.500v3",
    "M12 18.500v3",
    "M2.500 12h3",
    "M18.500 12h3",
  ],
  light: ["M9.500 18h5", "M10.500 21h3", "M9 15c-2-1.300-3-3-3-5.200a6 6 0 0 1 12 0c0 2.200-1 3.900-3 5.200v.5H9z"],
  buzzer: ["M6.500 16V11a5.500 5.500 0 0 1 11 0v5l1.500 1.500H5z", "M10.500 20.500h3", "M12 3.500v2"],
  find: ["M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13z", "M15.500 15.500 20.500 20.500"],
  download: ["M12 4v11", "M7.500 11 12 15.500 16.500 11", "M5 19.500h14"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  before: ["M14.500 5.500 8 12l6.500 6.500"],
  after: ["M9.500 5.500 16 12l-6.500 6.500"],
  plus: ["M12 5v14", "M5 12h14"],
  minus: ["M5 12h14"],
  all: ["M4 9V4h5", "M20 9V4h-5", "M4 15v5h5", "M20 15v5h-5"],
  tiles: ["M3.500 6.500 9 4l6 2.500L20.500 4v13.500L15 20l-6-2.500L3.500 20z", "M9 4v13.500", "M15 6.500V20"],
  chevron: ["M6 9.500 12 15.500 18 9.500"],
  bolt: ["M13 3 6 13.500h5L10.500 21 18 10h-5.500z"],
  paw: [
    "M12 12.500c2.700 0 5 2.800 5 5.200 0 1.700-1.200 2.300-2.500 2.300-1 0-1.600-.5-2.500-.5s-1.500.5-2.500.5C8.200 20 7 19.400 7 17.700c0-2.400 2.300-5.200 5-5.200z",
    "M5.500 12.500v-2",
    "M9.500 8.500v-2.500",
    "M14.500 8.500v-2.500",
    "M18.500 12.500v-2",
  ],
} as const;

export type IconName = keyof typeof LINES;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" });
  for (const d of LINES[name]) drawing.append(svg("path", { d }));
  return drawing;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
