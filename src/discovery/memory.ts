/**
 * What is known of the discovery messages that stand at the broker: ours, from this run and from earlier ones. The
 * broker itself is the program's memory: a device that left the account while the program was down is found there.
 */
import type { Components } from "./config.ts";
import type { HomeAssistantSeen } from "./messages.ts";
import type { Topics } from "./topics.ts";

export interface DiscoveryMemory {
  /** The components that were published of each device. */
  readonly components: Map<string, Components>;
  /** The last discovery message of each device that we sent, and when by a clock that does not jump, ms. */
  readonly sent: Map<string, { readonly payload: string; readonly at: number }>;
  /** Devices that the user deleted in Home Assistant: they stay away until the next start. */
  readonly deleted: Set<string>;
  homeAssistant: HomeAssistantSeen;
  /** Whether there was a connection before: then Home Assistant may have lost its own together with ours. */
  wasConnected: boolean;
  /** Whether all accounts were listed once, or were waited for long enough. */
  settled: boolean;
}

export function createMemory(): DiscoveryMemory {
  return {
    components: new Map(),
    sent: new Map(),
    deleted: new Set(),
    homeAssistant: { status: null, seenAt: null },
    wasConnected: false,
    settled: false,
  };
}

/** The components that a discovery message of ours describes; undefined for another program's, or none at all. */
export function ownComponents(payload: string, topics: Topics): Components | undefined {
  // Most messages here are other programs': only what names our topic is worth parsing.
  if (!payload.includes(`"${topics.bridgeState}"`)) return undefined;
  const components = parseObject(payload)?.components;
  if (!isObject(components)) return undefined;
  return new Map(Object.entries(components).map(([key, config]) => [key, platformOf(config)]));
}

function platformOf(config: unknown): string {
  return isObject(config) && typeof config.platform === "string" ? config.platform : "sensor";
}

/** What an earlier run noted of Home Assistant in `bridge/info`; nothing where it says nothing. */
export function readSeen(payload: string): HomeAssistantSeen {
  const noted = parseObject(payload)?.home_assistant;
  if (!isObject(noted)) return { status: null, seenAt: null };
  const at = typeof noted.seen === "string" ? Date.parse(noted.seen) : Number.NaN;
  const status = noted.status === "online" || noted.status === "offline" ? noted.status : null;
  return { status, seenAt: Number.isNaN(at) ? null : at };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
