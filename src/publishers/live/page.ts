/**
 * The status page. It is whole without a script; the script then puts times into the reader's zone and fetches what
 * is new. Every address in it is relative, so that it works behind any path. Tables carry their roles in words, since
 * on a narrow screen their cells stand below each other, and a browser may take them for something else then.
 */
import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import type { AccountStatus, PartStatus, PetStatus, StationStatus, Status } from "./status.ts";
import { type Language, TEXTS, type Texts } from "./texts.ts";

/** The part of the page that changes. */
export interface PageMain {
  /** Another one for each other text. */
  readonly revision: string;
  readonly html: string;
}

export function pageOf(status: Status, language: Language): string {
  const texts = TEXTS[language];
  const main = mainOf(status, language);
  const page = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${texts.title}</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="style.css">
<script src="script.js" defer></script>
</head>
<body data-version="${status.version}" data-lost="${texts.lost}">
<header>
<img src="icon.svg" alt="" width="40" height="40">
<div>
<h1>Pawline</h1>
<p>${texts.version} ${status.version}, ${texts.since} ${time(status.started, texts)}</p>
</div>
</header>
<p id="connection" role="status"></p>
<main data-revision="${main.revision}">${new Html(main.html)}</main>
</body>
</html>
`;
  return page.text;
}

export function mainOf(status: Status, language: Language): PageMain {
  const texts = TEXTS[language];
  const { text } = html`
${summary(status, texts)}
${pets(status.pets, texts)}
${status.home_stations.length === 0 ? "" : stations(status.home_stations, texts)}
${accounts(status.accounts, texts)}
${publishers(status.publishers, texts)}
`;
  return { revision: createHash("sha256").update(text).digest("hex").slice(0, 16), html: text };
}

/** Whether all is well; and if not, what went wrong last and what can be done. */
function summary({ accounts, publishers, last_error: error }: Status, texts: Texts): Html {
  const failing = [...accounts, ...publishers].filter(({ state }) => state === "waiting" || state === "parked").length;
  const sentence = failing === 0 ? texts.allWell : texts.someFail(failing);
  const remedy = error === null ? "" : error.state === null ? texts.isOver : texts.remedy[error.state];
  const last = error
    ? html`<section aria-labelledby="last-error"><h2 id="last-error">${texts.lastError}</h2>
<p lang="en">${error.sentence}</p><p>${remedy}</p></section>`
    : "";
  return html`<p class="summary">${mark(failing === 0 ? "good" : "bad", sentence)}</p>${last}`;
}

function pets(all: readonly PetStatus[], texts: Texts): Html {
  const { name, atHome, battery, contact, fix } = texts.columns;
  if (all.length === 0) return section("pets", texts.pets, html`<p>${texts.noPets}</p>`);
  const rows = all.map((pet) => [
    html`<bdi>${pet.name}</bdi>${pet.available ? "" : html` <small>(${texts.unavailable})</small>`}`,
    html`${pet.at_home === null ? texts.unknown : pet.at_home ? texts.yes : texts.no}`,
    batteryCell(pet, texts),
    time(pet.last_contact, texts),
    time(pet.last_fix, texts),
  ]);
  return section("pets", texts.pets, table("pets", [name, atHome, battery, contact, fix], rows));
}

function batteryCell({ battery, battery_low: isLow, charging }: PetStatus, texts: Texts): Html {
  const notes = [...(isLow ? [texts.low] : []), ...(charging ? [texts.charging] : [])].join(", ");
  const text = battery === null ? texts.unknown : `${battery} %`;
  return isLow ? mark("bad", `${text}, ${notes}`) : html`${notes === "" ? text : `${text}, ${notes}`}`;
}

function stations(all: readonly StationStatus[], texts: Texts): Html {
  const rows = all.map((station) => [
    html`<bdi>${station.name}</bdi>${station.available ? "" : html` <small>(${texts.unavailable})</small>`}`,
    onlineCell(station, texts),
    time(station.last_contact, texts),
  ]);
  const { station, connection, contact } = texts.columns;
  return section("stations", texts.stations, table("stations", [station, connection, contact], rows));
}

function onlineCell({ online }: StationStatus, texts: Texts): Html {
  if (online === null) return html`${texts.unknown}`;
  return online ? mark("good", texts.online) : mark("bad", texts.offline);
}

function accounts(all: readonly AccountStatus[], texts: Texts): Html {
  const rows = all.map((account) => [
    html`<bdi>${account.name}</bdi>`,
    stateCell(account, texts),
    subscriptionCell(account, texts),
    detailsCell(account),
  ]);
  const { account, stream, subscription, details } = texts.columns;
  return section("accounts", texts.accounts, table("accounts", [account, stream, subscription, details], rows));
}

/** The cloud counts whole days. */
function subscriptionCell({ subscription_ends: at, subscription_over: isOver }: AccountStatus, texts: Texts): Html {
  if (at === null) return html`${texts.unknown}`;
  const day = html`<time datetime="${at.slice(0, 10)}">${at.slice(0, 10)}</time>`;
  return isOver ? html`${mark("bad", texts.over)}, ${day}` : day;
}

function publishers(all: readonly PartStatus[], texts: Texts): Html {
  const rows = all.map((part) => [
    html`${texts.publisherNames[part.name] ?? part.name}`,
    stateCell(part, texts),
    time(part.since, texts),
    detailsCell(part),
  ]);
  const { publisher, state, since, details } = texts.columns;
  return section("publishers", texts.publishers, table("publishers", [publisher, state, since, details], rows));
}

function stateCell({ state }: PartStatus, texts: Texts): Html {
  return mark(state === "running" ? "good" : state === "starting" ? "busy" : "bad", texts.state[state]);
}

/** The program's own sentences are English. */
function detailsCell({ error, details }: PartStatus): Html {
  const facts = Object.entries(details).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
  const sentences = [...(error === null ? [] : [error]), ...facts];
  return sentences.length === 0 ? NOTHING : html`<span lang="en">${sentences.join("; ")}</span>`;
}

const SIGNS = { good: "✓", bad: "✗", busy: "…" } as const;

/** A word with a sign and a colour; the word alone says it all. */
function mark(tone: keyof typeof SIGNS, text: string): Html {
  return html`<span class="${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${text}</span>`;
}

/** In UTC, until the script knows where the reader is. */
function time(at: string | null, texts: Texts): Html {
  if (at === null) return html`${texts.never}`;
  return html`<time datetime="${at}">${at.slice(0, 16).replace("T", " ")} UTC</time>`;
}

function section(id: string, heading: string, content: Html): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>${content}</section>
`;
}

const NOTHING = html``;

/** The first cell of each row is what the row is about. A column in which nothing stands is left out. */
function table(id: string, allColumns: readonly string[], allRows: readonly (readonly Html[])[]): Html {
  const isTold = (_: unknown, index: number): boolean => allRows.some((cells) => cells[index] !== NOTHING);
  const columns = allColumns.filter(isTold);
  const rows = allRows.map((cells) => cells.filter(isTold));
  const heads = columns.map((column) => html`<th scope="col" role="columnheader">${column}</th>`);
  return html`<table role="table" aria-labelledby="${id}">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${rows.map((cells) => row(cells, columns))}</tbody>
</table>`;
}

function row(cells: readonly Html[], columns: readonly string[]): Html {
  const written = cells.map((cell, index) =>
    index === 0
      ? html`<th scope="row" role="rowheader">${cell}</th>`
      : html`<td role="cell" data-label="${columns[index] ?? ""}"><div>${cell}</div></td>`,
  );
  return html`<tr role="row">${written}</tr>
`;
}
