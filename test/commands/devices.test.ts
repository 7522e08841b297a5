/** `pawline devices`: what the account has, as a table, as JSON, and followed. */
import { describe, expect, test } from "vitest";
import { type Lab, listening, logins, MISO, OREO, openLab, STATION } from "./lab.ts";

function putOut(lab: Lab): void {
  lab.cloud.push(OREO, {
    bat: 4150,
    chg: 0,
    home: false,
    lastContact: "2026-03-01T10:05:00.000+0000",
    lastPos: { posLat: 51.501, posLong: -0.12, acc: 7, timeMeasure: "2026-03-01T10:00:00.000+0000" },
  });
}

describe.concurrent("devices", () => {
  test("a table of collars and home stations", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    putOut(lab);
    const { code, stdout, stderr } = await lab.run(["devices"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...rows] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^ID +NAME +KIND +BATTERY +HOME +POSITION +LAST CONTACT$/);
    const cells = rows.map((row) => row.split(/ {2,}/));
    expect(cells).toContainEqual([
      String(OREO),
      "Oreo",
      "collar",
      expect.stringMatching(/^\d+ %$/),
      "away",
      "51.501, -0.12 ±7 m",
      expect.stringMatching(/^2026-03-01T/),
    ]);
    expect(cells).toContainEqual(expect.arrayContaining([String(MISO), "Miso", "collar"]));
    expect(cells).toContainEqual(expect.arrayContaining([String(STATION), "home station", "mains", "online"]));
    expect(rows).toHaveLength(3);
    // Each column begins in the same place.
    for (const column of ["KIND", "BATTERY"]) {
      const at = head?.indexOf(column) ?? 0;
      for (const row of rows) expect(row.slice(at - 2, at + 1)).toMatch(/^ {2}\S$/);
    }
    expect(logins(lab.cloud)).toBe(1);
    expect(lab.cloud.upgrades).toEqual([]);
  });

  test("--json is one array, and nothing else on standard output", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    putOut(lab);
    const { code, stdout } = await lab.run(["devices", "--json", "--log-level", "trace"]);
    expect(code).toBe(0);
    const devices: unknown = JSON.parse(stdout);
    expect(devices).toEqual(
      expect.arrayContaining([
        {
          key: `pettracer_${OREO}`,
          id: OREO,
          kind: "collar",
          name: "Oreo",
          last_contact: expect.stringMatching(/^2026-03-01T/),
          battery: expect.any(Number),
          charging: false,
          home: false,
          distance: 111,
          position: expect.objectContaining({ latitude: 51.501, longitude: -0.12, gps_accuracy: 7, source: "gps" }),
        },
        expect.objectContaining({ key: `pettracer_hs_${STATION}`, kind: "home_station", online: true }),
      ]),
    );
    expect(devices).toHaveLength(3);
  });

  test("only those that the configuration wants", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { exclude: ["oreo", STATION] } });
    const { stdout } = await lab.run(["devices", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([{ id: MISO }]);
  });

  test("an account without devices has a table without rows", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    for (const id of [OREO, MISO, STATION]) lab.cloud.removeDevice(id);
    expect((await lab.run(["devices"])).stdout).toMatch(/^ID .*\n$/);
    expect((await lab.run(["devices", "--json"])).stdout).toBe("[]\n");
  });

  test("the devices of all accounts of a list", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addAccount({ login: "dog@example.com", password: "bone", id: 16000, name: "Robin" });
    lab.cloud.addCollar("dog@example.com", { id: 14800, details: { name: "Rex" } });
    lab.configure({ pettracer: [lab.account, { ...lab.account, username: "dog@example.com", password: "bone" }] });
    expect((await lab.run(["devices"])).stdout).toMatch(/^14758 .*^14800 /ms);
  });

  test.for(["SIGINT", "SIGTERM"] as const)("--watch tells each change in a line, until %s", async (signal, context) => {
    const lab = await openLab(context.onTestFinished);
    const watching = lab.start("devices", "--watch");
    await watching.output(/^Miso: .*\n/m, 10_000);
    await listening(lab.cloud);
    const timeMeasure = new Date().toISOString().replace("Z", "+0000");
    lab.cloud.push(OREO, { lastPos: { posLat: 51.612348, posLong: -0.2, acc: 4.4, timeMeasure } });
    const [line] = await watching.output(/^Oreo: 51\.6.*\n/m, 5_000);
    expect(line).toMatch(/^Oreo: 51\.61235, -0\.20000 ±4 m, \d+ m from home, battery \d+ %, signal -\d+ dBm\n$/);
    watching.signal(signal);
    const { code, stdout, stderr } = await watching.ended(5_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // What has not changed is not told again.
    expect(stdout.split("\n").filter((text) => text.startsWith("Miso:"))).toHaveLength(1);
  });

  test("--watch --json tells each change as JSON", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const watching = lab.start("devices", "--watch", "--json");
    await listening(lab.cloud);
    lab.cloud.push(MISO, { home: true });
    await watching.output(/"name":"Miso",.*"home":true/, 5_000);
    watching.signal("SIGINT");
    const { code, stdout } = await watching.ended(5_000);
    expect(code).toBe(0);
    const devices = stdout
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(devices.at(-1)).toMatchObject({ id: MISO, home: true });
  });

  test("--watch goes on after the stream was lost", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const watching = lab.start("devices", "--watch");
    await listening(lab.cloud);
    lab.cloud.faults.resetStreams();
    await lab.cloud.waitFor(() => lab.cloud.upgrades.length === 2, 10_000);
    await listening(lab.cloud);
    lab.cloud.push(MISO, { chg: 1, home: true });
    await watching.output(/^Miso: .*at home/m, 5_000);
  });

  test.for([[], ["--json"], ["--watch"]])(
    "a refused login: 3, one login, nothing on standard output %j",
    async (args, context) => {
      const lab = await openLab(context.onTestFinished);
      lab.configure({ pettracer: { password: "wrong-s3cret" } });
      const { code, stdout, stderr } = await lab.run(["devices", ...args]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toBe("PetTracer refused the login (401): check pettracer.username and pettracer.password.\n");
      expect(logins(lab.cloud)).toBe(1);
    },
  );

  test("a cloud that cannot be reached: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.faults.refuseConnections("closed");
    const { code, stdout, stderr } = await lab.run(["devices"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: .*\n$/);
  });

  test("no broker is needed", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    expect(await lab.run(["devices"])).toMatchObject({ code: 0 });
  });
});
