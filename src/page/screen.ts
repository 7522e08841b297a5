/** What is on the screen: made once, and from then on only what has changed is drawn. */
import type { ApiDevice } from "../publishers/live/api/schema.ts";
import type { Commands } from "./commands.ts";
import type { Household } from "./live/household.ts";
import { createMap } from "./map/map.ts";
import { tileSource } from "./map/tiles.ts";
import { cardOf, type Reader } from "./model/card.ts";
import { type Control, controlsOf, noticesOf } from "./model/control.ts";
import { accountsOf, catsOf, groupsOf } from "./model/groups.ts";
import { healthOf, stationsOf } from "./model/health.ts";
import type { Words } from "./model/words.ts";
import type { Dirty } from "./paint.ts";
import type { Tongue } from "./texts/language.ts";
import type { ControlName } from "./texts/texts.ts";
import type { TrailDay } from "./trail-day.ts";
import type { CardState } from "./view/card.ts";
import { element } from "./view/dom.ts";
import { createEvents } from "./view/events.ts";
import { createFilter } from "./view/filter.ts";
import { createList } from "./view/list.ts";
import { createShell, type Frame } from "./view/shell.ts";
import { createStatus } from "./view/status.ts";
import { createTrailPanel } from "./view/trail-panel.ts";

/** All that is drawn. */
interface Scene {
  readonly household: Household;
  readonly selected: string | undefined;
  readonly mayControl: boolean;
  readonly isConnected: boolean;
}

export interface ScreenNeeds {
  readonly tongue: Tongue;
  readonly words: Words;
  readonly commands: Commands;
  readonly day: TrailDay;
  readonly frame: Frame;
  readonly scene: () => Scene;
  readonly choose: (id: string | undefined) => void;
  readonly send: (id: string, control: Control) => void;
  readonly dismiss: (id: string, control: ControlName) => void;
  /** Another part of the list is to be shown. */
  readonly filtered: () => void;
}

export interface Screen {
  readonly content: HTMLElement;
  readonly paint: (dirty: Dirty) => void;
  /** Brings a cat into sight, in the list and on the map. */
  readonly reveal: (id: string) => void;
}

/** With more cats than this, only the chosen one has its controls in sight. */
const FEW = 6;

export function createScreen(needs: ScreenNeeds): Screen {
  const { tongue, words, commands, day, scene } = needs;
  const { texts, locale } = tongue;
  const reader = (): Reader => ({ texts, words, nowMs: Date.now() });
  let catCount = 0;
  let revealedTrail = "";

  const filter = createFilter(texts, needs.filtered);
  const list = createList(texts, {
    state: cardState,
    card: (id) => ({
      select: () => needs.choose(scene().selected === id ? undefined : id),
      command: (control) => needs.send(id, control),
      dismiss: (control) => needs.dismiss(id, control),
    }),
  });
  const [events, status] = [createEvents(), createStatus(texts)];
  const map = createMap({ texts, words, tiles: tileSource(), select: needs.choose });
  const panel = createTrailPanel(texts, {
    moveTo: day.moveTo,
    step: day.step,
    choose: day.chooseDay,
    follow: () => day.moveTo(undefined),
    close: () => needs.choose(undefined),
  });
  const shell = createShell(texts, needs.frame, {
    list: element("div", {}, filter.element, list.element),
    events: events.element,
    status: status.element,
    map: map.element,
    trail: panel.element,
  });

  function cardState(device: ApiDevice): CardState {
    const { selected, mayControl, isConnected } = scene();
    const [now, asked] = [reader(), commands.of(device.id)];
    const isSelected = device.id === selected;
    const isInSight = mayControl && (isSelected || catCount <= FEW);
    return {
      card: cardOf(device, now),
      isSelected,
      controls: isInSight ? controlsOf(device, asked, now) : [],
      notices: noticesOf(device, asked, now),
      isConnected,
    };
  }

  function paintAll(): void {
    const { devices } = scene().household;
    const [cats, accounts] = [catsOf(devices, locale), accountsOf(devices)];
    catCount = cats.length;
    filter.show(accounts, cats.length);
    list.showAll(groupsOf(cats, accounts, filter.choice), filter.choice.search !== "");
    map.keepCats(new Set(cats.map(({ id }) => id)));
    map.showStations(stationsOf(devices));
    for (const cat of cats) paintOnMap(cat);
  }

  function paintOne(id: string): void {
    const { devices } = scene().household;
    const device = devices.get(id);
    if (device?.kind === "collar") {
      list.showOne(device);
      paintOnMap(device);
    } else map.showStations(stationsOf(devices));
  }

  function paintOnMap(cat: ApiDevice): void {
    map.showCat(cat, cardOf(cat, reader()), cat.id === scene().selected);
  }

  function paintTrail(): void {
    const { household, selected = "" } = scene();
    const cat = household.devices.get(selected);
    const home = household.devices.get(cat?.home_station ?? "");
    const now = reader();
    const state = cat && day.state(cat, home, now);
    panel.show(state);
    revealTrail(cat?.id, state?.day);
    const [atMs, spot] = [day.atMs(now.nowMs), day.spot(now.nowMs)];
    map.trail.show(cat && day.trail, atMs, spot, cat === undefined ? "" : cardOf(cat, now).color);
  }

  /** Once for each cat and day; from then on the reader decides what is in sight. */
  function revealTrail(id = "", shownDay = ""): void {
    const key = `${id} ${shownDay}`;
    if (key === revealedTrail || (id !== "" && day.trail === undefined)) return;
    revealedTrail = key;
    map.reveal(day.trail?.spots ?? []);
  }

  function paintStatus(): void {
    const { bridge, devices } = scene().household;
    if (bridge !== undefined) status.show(healthOf(bridge, devices, reader()));
  }

  return {
    content: shell.content,
    paint({ isAll, devices, bridge, trail, events: hasEvents }) {
      if (isAll) paintAll();
      else for (const id of devices) paintOne(id);
      if (isAll || bridge || devices.size > 0) paintStatus();
      if (isAll || trail || devices.has(scene().selected ?? "")) paintTrail();
      if (isAll || hasEvents) events.show(scene().household.events, reader());
    },
    reveal(id) {
      const position = scene().household.devices.get(id)?.position;
      if (position) map.reveal([position]);
      shell.tabs.open("pets");
      list.reveal(id);
    },
  };
}
