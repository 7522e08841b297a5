/** Tells what happened, each thing once, as an event of Home Assistant's: this route has no event entities. */
import { timestamp } from "../../../entities/entity.ts";
import { deviceName } from "../../../entities/name.ts";
import type { Activity } from "../../../model/activity.ts";
import type { State } from "../../../model/device.ts";
import type { Cursor, Feed } from "../../publisher.ts";
import type { Pet } from "./pet.ts";

const EVENT_TYPE = "pawline_event";

interface TellerContext {
  readonly feed: Feed;
  readonly cursor: Cursor;
  /** The pet, where it is live; "later" where that is not settled yet; undefined where nobody wants to hear of it. */
  readonly petOf: (device: string) => Pet | "later" | undefined;
}

/** The returned function tells what there is to tell. One call after the other, or two would tell the same twice. */
export function createTeller({ feed, cursor, petOf }: TellerContext): () => Promise<void> {
  let telling = Promise.resolve();

  async function tellAll(): Promise<void> {
    for (const activity of feed.activities(cursor.read())) {
      const pet = petOf(activity.device);
      if (pet === "later") return;
      if (pet !== undefined && !(await pet.fire(EVENT_TYPE, eventOf(activity, feed.state)))) return;
      cursor.write(activity.sequence);
    }
  }

  return () => {
    telling = telling.then(tellAll);
    return telling;
  };
}

function eventOf({ device, type, at, details }: Activity, state: State): object {
  const entry = state.get(device);
  const name = entry?.kind === "collar" ? deviceName(entry) : device;
  return { ...details, device, name, event_type: type, at: timestamp(at) };
}
