/** The latest value of a topic, as text that is written once for all who get it. */

/** What a client's filter asks of a device. */
export interface DeviceRecord {
  /** In the state. */
  readonly key: string;
  readonly id: string;
  readonly kind: "collar" | "homeStation" | "account";
  /** The accounts that list it, by their names in the configuration. */
  sources: readonly string[];
}

/** Most clients have few subscriptions, and they are numbered from 1: bytes for higher numbers are not kept. */
const SHARED = 8;

export class Topic {
  readonly name: string;
  readonly kind: "device" | "position" | "bridge" | "event";
  /** The device that it is about; none for the others. */
  readonly record: DeviceRecord | undefined;
  /** Whether the state may have moved on since the value was taken from it. */
  isStale = true;
  /** What is told for the last time: the device has gone. */
  last: string | undefined;
  #data = "";
  readonly #frames = new Map<number, Buffer>();

  constructor(name: string, kind: Topic["kind"], record?: DeviceRecord) {
    this.name = name;
    this.kind = kind;
    this.record = record;
  }

  /** As JSON. */
  get data(): string {
    return this.#data;
  }

  /** @returns whether this is news */
  set(data: string): boolean {
    this.isStale = false;
    if (data === this.#data) return false;
    this.#data = data;
    this.#frames.clear();
    return true;
  }

  /** The message for this subscription; the same bytes for all subscriptions that have this number. */
  frame(subscription: number): Buffer {
    const frame = this.#frames.get(subscription) ?? frameOf(this.name, this.#data, subscription);
    if (subscription <= SHARED) this.#frames.set(subscription, frame);
    return frame;
  }
}

export function frameOf(topic: string, data: string, subscription: number): Buffer {
  return Buffer.from(
    `{"type":"message","subscription":${subscription},"topic":${JSON.stringify(topic)},"data":${data}}`,
  );
}
