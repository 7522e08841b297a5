/**
 * A strict reader of Prometheus' text format, written from its description and not from our writer: anything that a
 * scraper could stumble over is an error. https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf)$/;

/** All families by their name; a sample by its labels, sorted: `account="0",cause="closed"`. */
export function readMetrics(text: string): Map<string, MetricFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, MetricFamily>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, helpName, helpText = ""] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? [];
    const [, typeName, type = ""] = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`).exec(line) ?? [];
    if (helpName !== undefined) help = { name: helpName, text: helpText };
    else if (typeName !== undefined) {
      if (help?.name !== typeName) throw new Error(`TYPE without its HELP: ${line}`);
      if (families.has(typeName)) throw new Error(`a family comes twice: ${line}`);
      families.set(typeName, { type, help: help.text, samples: new Map() });
      current = typeName;
    } else readSample(line, current, families);
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function readSample(line: string, current: string, families: Map<string, MetricFamily>): void {
  const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  if (name === "" || !NUMBER.test(value)) throw new Error(`no line of the format: ${line}`);
  if (name !== current) throw new Error(`a sample outside its family: ${line}`);
  const key = readLabels(labels, line);
  const { samples } = families.get(name) as MetricFamily;
  if (samples.has(key)) throw new Error(`a sample comes twice: ${line}`);
  samples.set(key, Number(value.replace("Inf", "Infinity")));
}

function readLabels(text: string, line: string): string {
  const labels = new Map<string, string>();
  for (let rest = text; rest !== ""; ) {
    const [whole = "", name = "", value = ""] = LABEL.exec(rest) ?? [];
    if (whole === "" || labels.has(name) || name.startsWith("__")) throw new Error(`odd labels: ${line}`);
    labels.set(name, value);
    rest = rest.slice(whole.length);
  }
  return [...labels]
    .map(([name, value]) => `${name}="${value}"`)
    .toSorted()
    .join();
}

/** What the naming conventions ask for: https://prometheus.io/docs/practices/naming/ */
function checkFamily(name: string, { type, samples }: MetricFamily): void {
  if (samples.size === 0) throw new Error(`${name} has no sample`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is no name for a ${type}`);
  if (type === "counter" && [...samples.values()].some((value) => !(value >= 0))) {
    throw new Error(`${name} counts below zero`);
  }
}
