/** What is different where Home Assistant's Supervisor runs the program as an app. */

import type { SupervisorAccess } from "../lib/supervisor.ts";

/** Where to mend what is wrong: there is no file that a user of the app could edit. */
export const APP_REMEDY = "fill it in on the app's Configuration tab, and start the app again";

/** What holds in the app where nothing else is said, by path. */
export function appDefaults(
  { apiUrl, token }: SupervisorAccess,
  { home_assistant: homeAssistant }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    // The one folder that outlives the container, and is part of backups.
    data_dir: "/data",
    // People read it, on the app's Log tab.
    "log.format": "pretty",
    // The Home Assistant beside us; our token for it must not go to any other one.
    ...(!namesAnother(homeAssistant) && { "home_assistant.url": `${apiUrl}/core`, "home_assistant.token": token }),
  };
}

function namesAnother(section: unknown): boolean {
  return typeof section === "object" && section !== null && ("url" in section || "token" in section);
}

/** The Supervisor has no optional sections, so that one without a value stands for one that is not there. */
export function withoutEmptySections(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, section]) => !isEmptySection(section)));
}

function isEmptySection(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
