/**
 * What the program has ever published and the broker still keeps, and how to take it away again: discovery first,
 * since Home Assistant complains of states that end under its entities. What is gone is known by its echo: a broker
 * may confirm a message and drop it, where the user has no right to write.
 */
import { monotonicMs, sleep } from "../lib/clock.ts";
import type { Traces } from "../publishers/publisher.ts";
import type { Link } from "./link.ts";
import { isMoving, ownComponents } from "./memory.ts";
import type { TopicOptions, Topics } from "./topics.ts";

/** Home Assistant has removed the devices by then. */
const APART_MS = 1_000;
/** An echo comes back within this, ms. */
const ECHO_MS = 3_000;
const LOOK_MS = 25;

const AT_THE_BROKER: Traces["words"] = {
  one: "topic",
  place: "at the broker",
  advice: "Is Pawline still running, and may the broker's user write these topics?",
};

/** @throws RecoverableError when the link fails */
export async function findTraces(
  link: Link,
  topics: Topics,
  options: Pick<TopicOptions, "base" | "prefix">,
): Promise<Traces> {
  const retained = new Map<string, string>();
  const gone = new Set<string>();
  await link.subscribe([...topics.everyDiscovery, `${options.base}/#`], (message) => {
    if (message.payload === "") gone.add(message.topic);
    else gone.delete(message.topic);
    if (message.payload !== "" && message.retained) retained.set(message.topic, message.payload);
  });
  const discovery = [...retained.keys()].filter((topic) => isOwnDiscovery(topic, retained, topics, options)).toSorted();
  const others = othersOf(discovery, retained, topics, options);
  const all = [...discovery, ...others];
  return {
    names: all,
    words: AT_THE_BROKER,
    isInUse: retained.get(topics.bridgeState) === "online",
    async remove(signal) {
      await clear(discovery, link);
      if (discovery.length > 0 && others.length > 0) await sleep(APART_MS, signal);
      await clear(others, link);
      return await leftOf(all, gone);
    },
  };
}

function isOwnDiscovery(
  topic: string,
  retained: ReadonlyMap<string, string>,
  topics: Topics,
  { base }: Pick<TopicOptions, "base">,
): boolean {
  const about = topics.discovered(topic);
  if (about === undefined) return false;
  const payload = retained.get(topic) ?? "";
  // Left by a run that was killed between two modes; it does not say whose it is.
  if (isMoving(payload)) return [...retained.keys()].some((one) => one.startsWith(`${base}/${about.device}/`));
  return ownComponents(payload, about, topics) !== undefined;
}

/** Whatever stands under our base, but what somebody else may have put there. */
function othersOf(
  discovery: readonly string[],
  retained: ReadonlyMap<string, string>,
  topics: Topics,
  { base, prefix }: Pick<TopicOptions, "base" | "prefix">,
): string[] {
  // Whoever gave our topics and discovery the same beginning has other programs' topics among ours.
  const shared = base === prefix || prefix.startsWith(`${base}/`) ? `${prefix}/` : undefined;
  const devices = discovery.map((topic) => topics.discovered(topic)?.device ?? "");
  const certain = new Set([topics.bridgeState, topics.bridgeInfo, ...devices.flatMap(topics.retained)]);
  const isOurs = (topic: string): boolean =>
    certain.has(topic) || !((shared && topic.startsWith(shared)) || topic === topics.homeAssistantStatus);
  return [...retained.keys()].filter((topic) => topic.startsWith(`${base}/`) && isOurs(topic)).toSorted();
}

async function clear(topics: readonly string[], link: Link): Promise<void> {
  for (const topic of topics) await link.publish({ topic, payload: "", retain: true, qos: 1 });
  await link.flush();
}

/** Those whose end has not come back in time. */
async function leftOf(topics: readonly string[], gone: ReadonlySet<string>): Promise<string[]> {
  const endAt = monotonicMs() + ECHO_MS;
  while (monotonicMs() < endAt && topics.some((topic) => !gone.has(topic))) await sleep(LOOK_MS);
  return topics.filter((topic) => !gone.has(topic));
}
