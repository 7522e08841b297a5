/**
 * The topics, as documented: `<base>/<device>/…` for what is known; for discovery `<prefix>/device/<device>/config`, or
 * `<prefix>/<platform>/<device>/<key>/config` where each entity has a message of its own.
 */

/** What a discovery topic is about: a device, or one of its entities. */
export interface Discovered {
  readonly device: string;
  readonly entity?: { readonly platform: string; readonly key: string };
}

export interface Topics {
  readonly bridgeState: string;
  readonly bridgeInfo: string;
  readonly bridgeEvent: string;
  /** Home Assistant's own birth and will. */
  readonly homeAssistantStatus: string;
  readonly state: (device: string) => string;
  readonly position: (device: string) => string;
  readonly availability: (device: string) => string;
  readonly firmware: (device: string) => string;
  readonly photo: (device: string) => string;
  readonly event: (device: string) => string;
  readonly command: (device: string, control: string) => string;
  readonly everyCommand: string;
  /** The device and the control that a command topic names; undefined for any other topic. */
  readonly commanded: (topic: string) => { readonly device: string; readonly control: string } | undefined;
  readonly everyRequest: string;
  /** The command that a request topic names; undefined for any other topic. */
  readonly requested: (topic: string) => string | undefined;
  readonly response: (command: string) => string;
  readonly discovery: (device: string) => string;
  readonly entityDiscovery: (device: string, platform: string, key: string) => string;
  /** Filters for the discovery topics of all devices and entities, also other programs'. */
  readonly everyDiscovery: readonly string[];
  /** What a discovery topic is about; undefined for any other topic. */
  readonly discovered: (topic: string) => Discovered | undefined;
  /** Whether it is one of ours, but for discovery. */
  readonly isOwn: (topic: string) => boolean;
  /** All retained topics of a device but its discovery, to be cleared when it is removed. */
  readonly retained: (device: string) => readonly string[];
}

export interface TopicOptions {
  readonly base: string;
  readonly prefix: string;
  readonly statusTopic: string;
}

export function createTopics({ base, prefix, statusTopic }: TopicOptions): Topics {
  const of =
    (name: string) =>
    (device: string): string =>
      `${base}/${device}/${name}`;
  const request = `${base}/bridge/request/`;
  return {
    bridgeState: `${base}/bridge/state`,
    bridgeInfo: `${base}/bridge/info`,
    bridgeEvent: `${base}/bridge/event`,
    homeAssistantStatus: statusTopic,
    state: of("state"),
    position: of("position"),
    availability: of("availability"),
    firmware: of("firmware"),
    photo: of("photo"),
    event: of("event"),
    command: (device, control) => `${base}/${device}/${control}/set`,
    everyCommand: `${base}/+/+/set`,
    commanded: (topic) => {
      const [device = "", control = ""] = between(topic, `${base}/`, "/set")?.split("/") ?? [];
      return device !== "" && control !== "" ? { device, control } : undefined;
    },
    everyRequest: `${request}+`,
    requested: (topic) => between(topic, request, ""),
    response: (command) => `${base}/bridge/response/${command}`,
    discovery: (device) => `${prefix}/device/${device}/config`,
    entityDiscovery: (device, platform, key) => `${prefix}/${platform}/${device}/${key}/config`,
    everyDiscovery: [`${prefix}/device/+/config`, `${prefix}/+/+/+/config`],
    discovered: (topic) => discoveredBy(between(topic, `${prefix}/`, "/config")?.split("/") ?? []),
    isOwn: (topic) => topic.startsWith(`${base}/`),
    retained: (device) => ["availability", "state", "position", "firmware", "photo"].map((name) => of(name)(device)),
  };
}

function discoveredBy(levels: readonly string[]): Discovered | undefined {
  const [platform = "", device = "", key = ""] = levels;
  // Home Assistant passes over all others, too.
  if (!levels.every((level) => /^[\w-]{1,200}$/.test(level))) return undefined;
  if (platform === "device") return levels.length === 2 ? { device } : undefined;
  return levels.length === 3 ? { device, entity: { platform, key } } : undefined;
}

function between(text: string, before: string, after: string): string | undefined {
  if (!text.startsWith(before) || !text.endsWith(after) || text.length <= before.length + after.length)
    return undefined;
  return text.slice(before.length, text.length - after.length);
}
