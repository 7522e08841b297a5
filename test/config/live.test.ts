/** The section `live`: off unless asked for, and never open to a network without protection. */
import { describe, expect, test } from "vitest";
import { ACCOUNT, errorsOf, load, MINIMAL } from "./loading.ts";

const DEFAULTS = { host: "127.0.0.1", port: 8099, ingress: false };

test("without the section there is no page; an empty one is enough", ({ onTestFinished }) => {
  const live = (text: string) => load({ text }, onTestFinished).config.live;
  expect(live(MINIMAL)).toBeUndefined();
  for (const section of ["live: {}", "live:"]) expect(live(`${MINIMAL}${section}\n`)).toEqual(DEFAULTS);
  expect(live(`${ACCOUNT}\nlive: {port: 80}\n`)).toEqual({ ...DEFAULTS, port: 80 });
});

test("each variable switches it on", ({ onTestFinished }) => {
  const live = (environment: Record<string, string>) => load({ environment }, onTestFinished).config.live;
  expect(live({ PAWLINE_LIVE_PORT: "8123" })).toEqual({ ...DEFAULTS, port: 8123 });
  expect(live({ PAWLINE_LIVE_HOST: "::1" })).toEqual({ ...DEFAULTS, host: "::1" });
  expect(live({ PAWLINE_LIVE_INGRESS: "true", PAWLINE_LIVE_HOST: "0.0.0.0" })).toEqual({
    ...DEFAULTS,
    host: "0.0.0.0",
    ingress: true,
  });
});

describe("an address that others can reach", () => {
  test.for(["0.0.0.0", "::", "192.168.1.5", "homeassistant.local", "128.0.0.1", "127.0.0.1.example", "::2", "127.1"])(
    "%s is refused, with its place and the remedy",
    (host, { onTestFinished }) => {
      const errors = errorsOf({ text: `${MINIMAL}live: {host: "${host}"}\n` }, onTestFinished);
      expect(errors).toEqual([
        expect.stringMatching(
          /^pawline\.yaml:6:8 live\.host: must be 127\.0\.0\.1, ::1 or localhost: .*live\.ingress: true/,
        ),
      ]);
      expect(errors.join()).not.toContain(host === "127.1" ? '"127.1"' : `"${host}"`);
    },
  );

  test.for(["127.0.0.1", "127.3.4.5", "::1", "localhost", "LocalHost", "::ffff:127.0.0.1"])(
    "%s is this computer itself",
    (host, { onTestFinished }) => {
      expect(errorsOf({ text: `${MINIMAL}live: {host: "${host}"}\n` }, onTestFinished)).toEqual([]);
    },
  );

  test("needs ingress", ({ onTestFinished }) => {
    expect(errorsOf({ text: `${MINIMAL}live: {host: 0.0.0.0, ingress: true}\n` }, onTestFinished)).toEqual([]);
  });
});

test.for(["0", "65536", "80.5", "-1"])("%s is no port", (port, { onTestFinished }) => {
  expect(errorsOf({ text: `${MINIMAL}live: {port: ${port}}\n` }, onTestFinished)).toEqual([
    "pawline.yaml:6:8 live.port: must be a port number, 1 to 65535",
  ]);
});

test("a misspelt key is told", ({ onTestFinished }) => {
  expect(errorsOf({ text: `${MINIMAL}live: {prot: 1}\n` }, onTestFinished)).toEqual([
    expect.stringMatching(/^pawline\.yaml:6:8 live\.prot: unknown key/),
  ]);
});

test.for(["", "live: {host: 127.0.0.1, ingress: false}\n"])(
  "in Home Assistant's app it is always on, for the Supervisor (%j)",
  (section, { onTestFinished }) => {
    const environment = { SUPERVISOR_TOKEN: "secret-token" };
    const { config, origin } = load({ text: MINIMAL + section, environment }, onTestFinished);
    expect(config.live).toEqual({ host: "0.0.0.0", port: 8099, ingress: true });
    expect(origin(["live", "host"])).toBe("SUPERVISOR_TOKEN");
    expect(JSON.stringify(config.live)).not.toContain("secret-token");
  },
);

test("an empty token is none", ({ onTestFinished }) => {
  expect(load({ environment: { SUPERVISOR_TOKEN: "" } }, onTestFinished).config.live).toBeUndefined();
});
