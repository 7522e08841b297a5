import type { Feed, Receipt } from "../../src/publishers/publisher.ts";

/** Of what nothing becomes. */
export const idleReceipt: Receipt = { accepted: new Promise(() => {}), done: new Promise(() => {}) };

/** The part of a feed that tests of a publisher's own work do without. */
export const idleBridge: Pick<Feed, "bridge" | "onRepublish" | "request" | "track"> = {
  request: () => idleReceipt,
  track: () => undefined,
  bridge: { restart() {}, refresh() {}, republish() {}, setLogLevel() {} },
  onRepublish() {},
};
