/** What each kind of fault does to the site, and how it ends. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { AnswerMode } from "../../src/demo/fault-state.ts";
import type { RoughRelay } from "./rough-relay.ts";
import type { Fault, Lane } from "./schedule.ts";
import type { Site } from "./site.ts";

/** Begins a fault; what it gives ends it. */
export async function disturb(site: Site, fault: Fault): Promise<() => Promise<void> | void> {
  switch (fault.lane) {
    case "stream link":
    case "portal link":
    case "broker link":
      return breakLink(relayOf(site, fault.lane), fault);
    case "stream speed":
    case "portal speed":
    case "broker speed":
      return slowDown(relayOf(site, fault.lane), fault);
    case "portal answers":
      return answerBadly(site, fault);
    case "cloud":
      return upsetCloud(site, fault);
    case "broker":
      return await upsetBroker(site, fault);
    case "daemon":
      return await upsetDaemon(site, fault);
  }
}

function relayOf({ relays }: Site, lane: Lane): RoughRelay {
  return lane.startsWith("stream") ? relays.stream : lane.startsWith("portal") ? relays.portal : relays.broker;
}

function breakLink(relay: RoughRelay, { kind, amount }: Fault): () => Promise<void> {
  if (kind === "freeze") relay.freeze();
  else if (kind === "cut") relay.cutAfter(1 + Math.floor(amount * 5_000));
  else if (kind === "close") relay.close();
  else relay.reset();
  if (kind === "refuse") relay.refuse();
  // Whoever comes back meanwhile is reset at the first byte.
  if (kind === "reset") relay.cutAfter(0);
  return () => relay.mend();
}

function slowDown(relay: RoughRelay, { kind, amount }: Fault): () => void {
  if (kind === "latency") relay.slow(20 + Math.round(amount * 1_500));
  else relay.throttle(2_000 + Math.round(amount * 20_000));
  return () => relay.hurry();
}

const WEB_ANSWERS: Readonly<Record<string, AnswerMode>> = {
  "429": { status: 429, retryAfter: 3 },
  "500": { status: 500 },
  "503": { status: 503 },
  html: "html",
  hang: "hang",
};

function answerBadly({ cloud }: Site, { kind, amount }: Fault): () => void {
  // A login that is refused is a wrong password, and parks the account for an hour: that is no fault of a cloud.
  if (kind === "401") cloud.faults.answer("/map", "refuse", 1 + Math.floor(amount * 2));
  else cloud.faults.answer(amount < 0.5 ? "/" : "/map", WEB_ANSWERS[kind] ?? "ok");
  return () => {
    for (const path of ["/", "/map"]) cloud.faults.answer(path, "ok");
  };
}

const NONSENSE = [
  'a["{"]',
  "a[",
  'a["MESSAGE\\n\\nhalf a frame"]',
  "x",
  'a["MESSAGE\\ndestination:/user/queue/messages\\n\\n{\\u0000"]',
];

function upsetCloud({ cloud: { faults } }: Site, { kind, amount }: Fault): () => void {
  if (kind === "expire") faults.expireTokens();
  else if (kind === "stomp error") faults.stompError("the session is over");
  else if (kind === "sockjs close") faults.closeSockjs(3_000, "Go away!");
  else if (kind === "drop") faults.dropStreams(1_001, "going away");
  else if (kind === "malformed") faults.malformed(NONSENSE[Math.floor(amount * NONSENSE.length)] ?? "x");
  else faults.split(2 + Math.floor(amount * 7));
  return () => faults.split(1);
}

/** One that is killed forgets what it has retained since it was last ended in order: what is older comes back. */
async function upsetBroker({ broker }: Site, { kind }: Fault): Promise<() => Promise<void> | void> {
  if (kind === "stop") {
    broker.freeze();
    return () => broker.thaw();
  }
  await (kind === "kill" ? broker.kill() : broker.stop());
  return () => broker.start();
}

/**
 * The login's manners are forgotten with each start: a daemon that was started so often would not be let in any more
 * for most of the time, and would be spared what comes then. They have tests of their own.
 */
async function upsetDaemon(site: Site, { kind, atMs }: Fault): Promise<() => void> {
  const { daemon, configuration, dataDir } = site;
  if (kind === "reload") {
    daemon.reload(configuration(atMs));
    return () => {};
  }
  if (kind === "stop") {
    daemon.stop();
    return () => daemon.go();
  }
  await (kind === "kill" ? daemon.kill() : daemon.terminate());
  rmSync(join(dataDir, "logins.json"), { force: true });
  return () => daemon.start();
}
