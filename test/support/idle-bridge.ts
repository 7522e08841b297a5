import type { Feed } from "../../src/publishers/publisher.ts";

/** The part of a feed that tests of a publisher's own work do without. */
export const idleBridge: Pick<Feed, "bridge" | "onRepublish"> = {
  bridge: { restart() {}, refresh() {}, republish() {}, setLogLevel() {} },
  onRepublish() {},
};
