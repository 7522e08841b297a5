/**
 * The Supervisor's rules for an app's `config.yaml`, and those of the linter for apps, as far as they concern an app
 * such as ours. Read from the Supervisor's validator; a second reading of what `addon/` is written for.
 */

export type Json = Readonly<Record<string, unknown>>;

const REQUIRED = ["name", "version", "slug", "description", "arch"];

/** What holds where a key is left out: to repeat one of these is an error for the linter. */
const DEFAULTS: Json = {
  startup: "application",
  boot: "auto",
  init: true,
  advanced: false,
  stage: "stable",
  ingress: false,
  ingress_port: 8099,
  ingress_entry: "/",
  ingress_stream: false,
  panel_icon: "mdi:puzzle",
  panel_admin: true,
  host_network: false,
  host_pid: false,
  host_ipc: false,
  host_uts: false,
  host_dbus: false,
  udev: false,
  tmpfs: false,
  apparmor: true,
  full_access: false,
  audio: false,
  video: false,
  gpio: false,
  usb: false,
  uart: false,
  devicetree: false,
  kernel_modules: false,
  realtime: false,
  hassio_api: false,
  hassio_role: "default",
  homeassistant_api: false,
  stdin: false,
  legacy: false,
  docker_api: false,
  auth_api: false,
  backup: "hot",
  timeout: 10,
  journald: false,
};

const OTHERS = REQUIRED.concat(
  ["url", "image", "homeassistant", "services", "panel_title"],
  ["options", "schema", "backup_exclude", "map", "ports"],
);

const ELEMENT =
  /^(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?|int(?:\(\d*,\d*\))?|float(?:\([\d.]*,[\d.]*\))?|match\(.*\)|list\(.+\))\??$/;

/** Sentences; none for a configuration that the Supervisor takes and the linter has nothing against. */
export function complaintsAbout(config: Json): string[] {
  const complaints = REQUIRED.filter((key) => config[key] === undefined).map((key) => `${key} is required`);
  for (const [key, value] of Object.entries(config)) {
    if (!(key in DEFAULTS) && !OTHERS.includes(key)) complaints.push(`${key} is unknown, or not for this app`);
    if (key in DEFAULTS && DEFAULTS[key] === value) complaints.push(`${key} repeats its default`);
  }
  const arch = Array.isArray(config.arch) ? config.arch : [];
  if (!arch.every((one) => one === "aarch64" || one === "amd64")) complaints.push("arch may be aarch64 and amd64");
  if (!/^[-_.a-z0-9]+$/.test(String(config.slug))) complaints.push("slug has wrong characters");
  if (typeof config.version !== "string") complaints.push("version is no text");
  if (typeof config.homeassistant !== "string") complaints.push("homeassistant is no text");
  if (String(config.image).includes("{arch}")) complaints.push("image names one architecture");
  return [...complaints, ...servicesOf(config), ...elements(config.schema, "schema", 0)];
}

function servicesOf({ services }: Json): string[] {
  const named: unknown[] = Array.isArray(services) ? services : [];
  return named.flatMap((one) =>
    /^(mqtt|mysql):(provide|want|need)$/.test(String(one)) ? [] : [`services: ${String(one)} is none`],
  );
}

/** A section may hold values and lists of values: one level. */
function elements(schema: unknown, path: string, depth: number): string[] {
  if (typeof schema === "string") return ELEMENT.test(schema) ? [] : [`${path}: ${schema} is no type`];
  if (Array.isArray(schema)) {
    const [element, ...more]: unknown[] = schema;
    return more.length > 0 || typeof element !== "string"
      ? [`${path}: a list of one type`]
      : elements(element, path, depth);
  }
  if (!isSection(schema) || depth > 1) return [`${path}: too deep`];
  return Object.entries(schema).flatMap(([key, inner]) => elements(inner, `${path}.${key}`, depth + 1));
}

/** The Supervisor's own formula; 8 is the most. */
export function securityRating(config: Json, hasProfile: boolean): number {
  let rating = 5;
  if (config.apparmor === false) rating -= 1;
  else if (hasProfile) rating += 1;
  if (config.ingress === true) rating += 2;
  else if (config.auth_api === true) rating += 1;
  const privileged: unknown[] = Array.isArray(config.privileged) ? config.privileged : [];
  if (privileged.length > 0 || config.kernel_modules === true) rating -= 1;
  if (config.hassio_role === "manager") rating -= 1;
  if (config.hassio_role === "admin") rating -= 2;
  if (config.host_network === true) rating -= 1;
  if (config.host_uts === true) rating -= 1;
  if (config.host_pid === true) rating -= 2;
  if (config.docker_api === true || config.full_access === true) return 1;
  return Math.max(1, Math.min(8, rating));
}

/**
 * What the Supervisor makes of a user's options: `options.json`.
 * @throws Error in the Supervisor's words where it would not start the app
 */
export function renderOptions(schema: Json, options: Json, where = "root"): Record<string, unknown> {
  const known = Object.entries(options).filter(([key]) => key in schema);
  const rendered = Object.fromEntries(known.map(([key, value]) => [key, renderElement(schema[key], value, key)]));
  for (const [key, type] of Object.entries(schema)) {
    const first: unknown = Array.isArray(type) ? type[0] : type;
    const isOptional = typeof first === "string" && first.endsWith("?");
    if (!(key in rendered) && !isOptional) throw new Error(`Missing option '${key}' in ${where}`);
  }
  return rendered;
}

function renderElement(type: unknown, value: unknown, key: string): unknown {
  if (isSection(type)) {
    if (!isSection(value)) throw new Error(`Invalid dict for option '${key}'`);
    return renderOptions(type, value, key);
  }
  if (Array.isArray(type)) {
    if (!Array.isArray(value)) throw new Error(`Invalid list for option '${key}'`);
    return value.map((one) => renderElement(type[0], one, key));
  }
  return renderValue(String(type).replace(/\?$/, ""), value, key);
}

function renderValue(type: string, value: unknown, key: string): unknown {
  if (value === null || value === undefined) throw new Error(`Missing required option '${key}'`);
  if (typeof value === "object") throw new Error(`not a value for '${key}'`);
  const text = `${value as string | number | boolean}`;
  const [, name = "", range = ""] = /^([a-z]+)(?:\((.*)\))?$/.exec(type) ?? [];
  switch (name) {
    case "str":
    case "password":
      return text;
    case "int":
      return inRange(Math.trunc(Number(text)), range, key);
    case "bool":
      return text === "true";
    case "url":
      if (!/^[a-z]+:\/\/[^/]+/.test(text)) throw new Error(`expected a URL for '${key}'`);
      return text;
    case "list":
      if (!range.split("|").includes(text)) throw new Error(`value must be one of ${range} for '${key}'`);
      return text;
    default:
      throw new Error(`no rule for ${type}`);
  }
}

function inRange(value: number, range: string, key: string): number {
  const [least = "", most = ""] = range.split(",");
  if (Number.isNaN(value) || (least !== "" && value < Number(least)) || (most !== "" && value > Number(most))) {
    throw new Error(`value out of range for '${key}'`);
  }
  return value;
}

export function isSection(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
