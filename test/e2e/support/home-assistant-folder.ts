import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

const home = {
  name: "Home",
  latitude: 51.5,
  longitude: -0.12,
  elevation: 20,
  unit_system: "metric",
  time_zone: "UTC",
  country: "GB",
  currency: "GBP",
};

// Not `default_config`: it would start integrations that look around in the network. The recorder writes at once, so
// that a test that asks for the history need not wait.
const configuration = {
  homeassistant: home,
  frontend: null,
  mobile_app: null,
  history: null,
  logbook: null,
  recorder: { commit_interval: 1 },
};

/** Since 2026.8 an `http:` section of the configuration is taken back after some minutes; the stored form lasts. */
function httpSettings(port: number): object {
  return {
    stable: {
      server_port: port,
      server_host: ["127.0.0.1"],
      cors_allowed_origins: [],
      login_attempts_threshold: -1,
      ip_ban_enabled: true,
      ssl_profile: "intermediate_v6",
      use_x_frame_options: true,
      created_at: "2026-01-01T00:00:00.000000+00:00",
      error: null,
      error_message: null,
    },
    pending: null,
    yaml_migration_done: true,
  };
}

function store(folder: string, key: string, version: number, data: object): void {
  const content = { version, minor_version: 1, key, data };
  writeFileSync(join(folder, ".storage", key), JSON.stringify(content));
}

/** Makes an empty folder one from which Home Assistant starts on `port`; `extra` is YAML with further sections. */
export function seedFolder(folder: string, port: number, extra = ""): void {
  mkdirSync(join(folder, ".storage"));
  store(folder, "http", 3, httpSettings(port));
  // The place is in the configuration; that step of the onboarding would ask a weather service in the internet.
  store(folder, "onboarding", 4, { done: ["core_config"] });
  writeFileSync(join(folder, "configuration.yaml"), `${stringify(configuration)}${extra}\n`);
}
