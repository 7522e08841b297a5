/** The topics, as documented: `<base>/<device>/…` for what is known, `<prefix>/device/<device>/config` for discovery. */

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
    everyDiscovery: `${prefix}/device/+/config`,
    discoveredDevice: (topic) => between(topic, `${prefix}/device/`, "/config"),
    retained: (device) => ["availability", "state", "position", "firmware", "photo"].map((name) => of(name)(device)),
  };
}

function between(text: string, before: string, after: string): string | undefined {
  if (!text.startsWith(before) || !text.endsWith(after) || text.length <= before.length + after.length)
    return undefined;
  return text.slice(before.length, text.length - after.length);
}
