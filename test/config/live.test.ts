/** The section `live`: off unless asked for, and never open to a network without protection. */
import { describe, expect, test } from "vitest";
import { ACCOUNT, errorsOf, load, MINIMAL } from "./loading.ts";

const DEFAULTS = {
  host: "127.0.0.1",
  port: 8099,
  ingress: false,
  origins: [],
  max_connections: 1_100,
  max_connections_per_address: 100,
  tiles: {
    allowed: true,
    url: "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
    attribution: "© OpenStreetMap contributors",
  },
};

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

// Whether somebody could get in there without a token is found out when it starts, and by `pawline check`.
test.for(["0.0.0.0", "::", "192.168.1.5", "homeassistant.local", "127.0.0.1", "::1", "localhost"])(
  "it may listen at %s",
  (host, { onTestFinished }) => {
    expect(errorsOf({ text: `${MINIMAL}live: {host: "${host}"}\n` }, onTestFinished)).toEqual([]);
  },
);

describe("origins of other pages", () => {
  const live = (draft: string) => `${MINIMAL}live: {origins: [${draft}]}\n`;

  test.for(["https://cats.example.com", "http://192.168.1.5:8080", "http://localhost:5173"])(
    "%s",
    (origin, context) => {
      expect(load({ text: live(`"${origin}"`) }, context.onTestFinished).config.live?.origins).toEqual([origin]);
    },
  );

  test.for(["*", "cats.example.com", "https://cats.example.com/", "https://cats.example.com/page", "ftp://x", "null"])(
    "%s is none",
    (origin, { onTestFinished }) => {
      expect(errorsOf({ text: live(`"${origin}"`) }, onTestFinished)).toEqual([
        expect.stringMatching(/^pawline\.yaml:6:\d+ live\.origins.*: must be an origin without a path, such as https:/),
      ]);
    },
  );
});

test.for(["max_connections: 9", "max_connections: 1.5", "max_connections_per_address: 1"])(
  "%s is refused",
  (draft, context) => {
    expect(errorsOf({ text: `${MINIMAL}live: {${draft}}\n` }, context.onTestFinished)).toHaveLength(1);
  },
);

test("tiles can be forbidden, or come from elsewhere", ({ onTestFinished }) => {
  const tiles = (draft: string) =>
    load({ text: `${MINIMAL}live: {tiles: ${draft}}\n` }, onTestFinished).config.live?.tiles;
  expect(tiles("{allowed: false}")).toEqual({ ...DEFAULTS.tiles, allowed: false });
  const url = "http://tiles.lan/{z}/{x}/{y}@2x.png";
  expect(tiles(`{url: "${url}", attribution: us}`)).toEqual({ allowed: true, url, attribution: "us" });
});

test.for(["http://tiles.lan/{z}/{x}.png", "tiles.lan/{z}/{x}/{y}", "ftp://tiles.lan/{z}/{x}/{y}"])(
  "%s is no address of tiles",
  (url, { onTestFinished }) => {
    expect(errorsOf({ text: `${MINIMAL}live: {tiles: {url: "${url}"}}\n` }, onTestFinished)).toEqual([
      expect.stringMatching(/live\.tiles\.url: must /),
    ]);
  },
);

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
    expect(config.live).toEqual({ ...DEFAULTS, host: "0.0.0.0", ingress: true });
    expect(origin(["live", "host"])).toBe("SUPERVISOR_TOKEN");
    expect(JSON.stringify(config.live)).not.toContain("secret-token");
  },
);

test("an empty token is none", ({ onTestFinished }) => {
  expect(load({ environment: { SUPERVISOR_TOKEN: "" } }, onTestFinished).config.live).toBeUndefined();
});
