/** Which way the cats take into this Home Assistant. Pure. */
import type { ConfigEntries } from "./situation.ts";

export type RouteName = "mqtt" | "mobile_app";

export interface Situation {
  readonly isAdmin: boolean;
  /** Whether it takes mobile apps; it does, unless its configuration is a very small one. */
  readonly hasMobileApp: boolean;
  readonly mqtt: MqttState;
}

/** `failed`: set up, and not loaded; it may come back by itself. */
type MqttState = "loaded" | "starting" | "failed" | "disabled" | "absent";

export interface Decision {
  readonly route: RouteName;
  /** Why, as the second half of a sentence. */
  readonly why: string;
}

/** A route that the user wants and that cannot be had. */
export interface Refusal {
  readonly problem: string;
  /** Whether only another token helps. */
  readonly isFinal: boolean;
}

export function mqttStateOf(entries: ConfigEntries): MqttState {
  const own = [...entries.values()].filter(({ domain }) => domain === "mqtt");
  if (own.some(({ state }) => state === "loaded")) return "loaded";
  const enabled = own.filter(({ isDisabled }) => !isDisabled);
  if (enabled.length === 0) return own.length > 0 ? "disabled" : "absent";
  return enabled.some(({ state }) => state === "setup_in_progress" || state === "unload_in_progress")
    ? "starting"
    : "failed";
}

const MQTT_IS: Readonly<Record<MqttState, string>> = {
  loaded: "its MQTT integration is set up",
  starting: "its MQTT integration is starting",
  failed: "its MQTT integration could not be loaded (see Settings > Devices & services > MQTT)",
  disabled: "its MQTT integration is disabled",
  absent: "it has no MQTT integration",
};

/** @param wanted as configured: `home_assistant.route` */
export function chooseRoute(wanted: RouteName | "auto", situation: Situation): Decision | Refusal {
  if (wanted === "mqtt") return forcedMqtt(situation);
  const decision = preferred(wanted, situation);
  if (decision.route === "mqtt" || situation.hasMobileApp) return decision;
  return { problem: NO_MOBILE_APP, isFinal: false };
}

const NO_MOBILE_APP =
  "Home Assistant takes no mobile apps: add `mobile_app:` (or `default_config:`) to its configuration.yaml and restart " +
  "it; or set up its MQTT integration, and use an administrator's token";

function preferred(wanted: "mobile_app" | "auto", { isAdmin, mqtt }: Situation): Decision {
  if (wanted === "mobile_app") return { route: wanted, why: "home_assistant.route says so" };
  if (mqtt !== "loaded") return { route: "mobile_app", why: MQTT_IS[mqtt] };
  if (!isAdmin) {
    const why = `${MQTT_IS.loaded}, but home_assistant.token is not an administrator's, who alone may use it`;
    return { route: "mobile_app", why };
  }
  return { route: "mqtt", why: `${MQTT_IS.loaded} and home_assistant.token is an administrator's` };
}

function forcedMqtt({ isAdmin, mqtt }: Pick<Situation, "isAdmin" | "mqtt">): Decision | Refusal {
  if (!isAdmin) {
    const problem =
      "home_assistant.route is mqtt, but home_assistant.token is not an administrator's: use one of an administrator, or the route auto.";
    return { problem, isFinal: true };
  }
  if (mqtt === "loaded") return { route: "mqtt", why: "home_assistant.route says so" };
  const problem = `home_assistant.route is mqtt, but Home Assistant says that ${MQTT_IS[mqtt]}: mend that, or use the route auto`;
  return { problem, isFinal: false };
}
