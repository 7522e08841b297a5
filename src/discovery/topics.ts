/** The topics, as documented: `<base>/<device>/…` for what is known, `<prefix>/device/<device>/config` for discovery. */

export interface Topics {
  readonly bridgeState: string;
  readonly bridgeInfo: string;
  /** Home Assistant's own birth and will. */
  readonly homeAssistantStatus: string;
  readonly state: (device: string) => string;
  readonly position: (device: string) => string;
  readonly availability: (device: string) => string;
  readonly discovery: (device: string) => string;
  /** A filter for the discovery topics of all devices, also other programs'. */
  readonly everyDiscovery: string;
  /** The device that a discovery topic is about; undefined for any other topic. */
  readonly discoveredDevice: (topic: string) => string | undefined;
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
  const [before, after] = [`${prefix}/device/`, "/config"];
  return {
    bridgeState: `${base}/bridge/state`,
    bridgeInfo: `${base}/bridge/info`,
    homeAssistantStatus: statusTopic,
    state: of("state"),
    position: of("position"),
    availability: of("availability"),
    discovery: (device) => `${before}${device}${after}`,
    everyDiscovery: `${before}+${after}`,
    discoveredDevice: (topic) =>
      topic.startsWith(before) && topic.endsWith(after) ? topic.slice(before.length, -after.length) : undefined,
    retained: (device) => ["availability", "state", "position", "firmware", "photo"].map((name) => of(name)(device)),
  };
}
