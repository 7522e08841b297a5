import { describe, expect, test } from "vitest";
import { chooseRoute, mqttStateOf } from "../../../src/publishers/homeassistant/route.ts";
import type { ConfigEntry } from "../../../src/publishers/homeassistant/situation.ts";

function entry(domain: string, state: string, isDisabled = false): [string, ConfigEntry] {
  const id = `${domain}-${state}`;
  return [id, { id, domain, title: domain, state, isDisabled }];
}

describe("the MQTT integration", () => {
  test.each([
    ["absent", []],
    ["absent", [entry("zha", "loaded")]],
    ["loaded", [entry("mqtt", "loaded")]],
    ["loaded", [entry("mqtt", "setup_error"), entry("mqtt", "loaded")]],
    ["starting", [entry("mqtt", "setup_in_progress")]],
    ["failed", [entry("mqtt", "setup_retry")]],
    ["failed", [entry("mqtt", "setup_error")]],
    ["failed", [entry("mqtt", "not_loaded")]],
    ["disabled", [entry("mqtt", "not_loaded", true)]],
  ] as const)("is %s", (state, entries) => {
    expect(mqttStateOf(new Map(entries))).toBe(state);
  });
});

const whole = { hasMobileApp: true };

describe("the route", () => {
  test.each([
    [true, "loaded", "mqtt", /is set up and home_assistant\.token is an administrator's/],
    [false, "loaded", "mobile_app", /home_assistant\.token is not an administrator's/],
    [true, "absent", "mobile_app", /no MQTT integration/],
    [false, "absent", "mobile_app", /no MQTT integration/],
    [true, "disabled", "mobile_app", /disabled/],
    [true, "failed", "mobile_app", /could not be loaded/],
  ] as const)("that is best for an administrator %s, MQTT %s", (isAdmin, mqtt, route, why) => {
    expect(chooseRoute("auto", { ...whole, isAdmin, mqtt })).toMatchObject({
      route,
      why: expect.stringMatching(why) as string,
    });
  });

  test("mobile_app can always be had", () => {
    expect(chooseRoute("mobile_app", { ...whole, isAdmin: true, mqtt: "loaded" })).toMatchObject({
      route: "mobile_app",
    });
  });

  test("mqtt needs an administrator, which only another token can be, and the integration, which may come", () => {
    expect(chooseRoute("mqtt", { ...whole, isAdmin: true, mqtt: "loaded" })).toMatchObject({ route: "mqtt" });
    expect(chooseRoute("mqtt", { ...whole, isAdmin: false, mqtt: "loaded" })).toMatchObject({
      isFinal: true,
      problem: expect.stringContaining("not an administrator's") as string,
    });
    expect(chooseRoute("mqtt", { ...whole, isAdmin: true, mqtt: "absent" })).toMatchObject({
      isFinal: false,
      problem: expect.stringContaining("no MQTT integration") as string,
    });
  });

  test("a Home Assistant without mobile apps takes pets by MQTT alone", () => {
    const bare = { hasMobileApp: false, isAdmin: true } as const;
    expect(chooseRoute("auto", { ...bare, mqtt: "loaded" })).toMatchObject({ route: "mqtt" });
    for (const wanted of ["auto", "mobile_app"] as const) {
      const problem = expect.stringMatching(/takes no mobile apps: add `mobile_app:`.*MQTT/) as string;
      expect(chooseRoute(wanted, { ...bare, mqtt: "absent" })).toEqual({ isFinal: false, problem });
    }
  });
});
