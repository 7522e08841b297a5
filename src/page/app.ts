/** The page put together: the household goes onto the screen, and what is pressed goes to the server. */
import { createCommands } from "./commands.ts";
import { createHouse, type House } from "./live/house.ts";
import type { Change } from "./live/household.ts";
import type { Obstacle } from "./live/keep-connected.ts";
import { askedWords, asSentence, type Control } from "./model/control.ts";
import { createWords } from "./model/words.ts";
import { createPainter } from "./paint.ts";
import { createScreen } from "./screen.ts";
import type { Tongue } from "./texts/language.ts";
import { createTrailDay } from "./trail-day.ts";
import { createAnnouncer } from "./view/announcer.ts";
import { type Banner, createBanner } from "./view/banner.ts";
import { setShown } from "./view/dom.ts";
import { createSignIn } from "./view/sign-in.ts";
import { createSignOut } from "./view/sign-out.ts";

/** How often “3 min ago” is written anew. */
const TICK_MS = 15_000;

export function startApp(tongue: Tongue): void {
  const { texts } = tongue;
  const words = createWords(tongue);
  let selected: string | undefined;

  const painter = createPainter(
    (dirty) => screen.paint(dirty),
    (callback) => requestAnimationFrame(callback),
  );
  const markAll = (): void => painter.mark({ kind: "devices" });
  const commands = createCommands((id) => painter.mark({ kind: "device", id }));
  const day = createTrailDay(() => painter.mark({ kind: "trail" }));
  const announcer = createAnnouncer();
  const [signIn, signOut] = [createSignIn(texts), createSignOut(texts)];
  const banner = createBanner(texts, { tryNow: () => house.tryNow(), reload: () => location.reload() });
  const reporter = createReporter(banner, (atMs) => words.time(atMs, Date.now()));

  const house: House = createHouse(pageVersion(), {
    connecting: reporter.connecting,
    connected() {
      setShown(screen.content, true);
      reporter.connected();
      void signOut.look();
      markAll();
      day.refresh();
    },
    changed(change: Change) {
      painter.mark(change);
      const device = change.kind === "device" ? house.household.devices.get(change.id) : undefined;
      if (device?.position) day.add(device.id, device.position);
    },
    lost(obstacle) {
      reporter.lost(obstacle, house.household.devices.size > 0);
      markAll();
    },
    outdated: reporter.outdated,
    /** Whoever has no token any more sees no cats any more. */
    signIn() {
      setShown(screen.content, false);
      reporter.waiting();
      return signIn.ask();
    },
  });

  function choose(id: string | undefined): void {
    selected = id;
    day.choose(id);
    markAll();
    if (id !== undefined) screen.reveal(id);
  }

  /** Sends it, and says aloud what became of it. */
  async function send(id: string, { name, asks }: Control): Promise<void> {
    if (house.talk === undefined) return;
    const what = askedWords(asks, name, texts);
    announcer.say(texts.controls.sending({ what }));
    const outcome = await commands.send(house.talk, id, name, asks);
    const failed = commands.of(id).find(({ control, step }) => control === name && step === "failed");
    const reason = asSentence(failed?.reason ?? texts.controls.connectionLost);
    announcer.say(outcome === "done" ? texts.controls.done({ what }) : texts.controls.failed({ what, reason }));
  }

  const screen = createScreen({
    tongue,
    words,
    commands,
    day,
    frame: {
      sign: banner.sign,
      banner: banner.element,
      signIn: signIn.element,
      signOut: signOut.element,
      announcer: announcer.element,
    },
    scene: () => ({
      household: house.household,
      selected,
      mayControl: house.mayControl,
      isConnected: house.talk !== undefined,
    }),
    choose,
    send: (id, control) => void send(id, control),
    dismiss: commands.dismiss,
    filtered: markAll,
  });

  setInterval(markAll, TICK_MS);
  addEventListener("online", house.tryNow);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) house.tryNow();
  });
  void house.run(new AbortController().signal);
}

interface Reporter {
  readonly connecting: () => void;
  readonly connected: () => void;
  readonly waiting: () => void;
  readonly lost: (obstacle: Obstacle, hasAnything: boolean) => void;
  readonly outdated: () => void;
}

/** Tells how the connection is; that there is a newer page stays, whatever comes after. */
function createReporter(banner: Banner, time: (atMs: number) => string): Reporter {
  /** From when is what is shown, while there is no connection. */
  let lostAtMs: number | undefined;
  let isOutdated = false;
  const tell: Banner["show"] = (connection) => {
    if (!isOutdated) banner.show(connection);
  };
  return {
    connecting() {
      if (lostAtMs === undefined) tell({ kind: "connecting" });
    },
    connected() {
      lostAtMs = undefined;
      tell({ kind: "open" });
    },
    waiting() {
      lostAtMs = undefined;
      tell({ kind: "waiting" });
    },
    lost(obstacle, hasAnything) {
      lostAtMs ??= Date.now();
      const sentence = obstacle.kind === "refused" ? obstacle.sentence : undefined;
      tell({ kind: "lost", time: hasAnything ? time(lostAtMs) : undefined, sentence });
    },
    outdated() {
      banner.show({ kind: "outdated" });
      isOutdated = true;
    },
  };
}

/** Of the server that this page came from, as it has put it there. */
function pageVersion(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="pawline-version"]')?.content ?? "";
}
