/** The Supervisor of the tests, where it is not the program that talks to it. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startSupervisor } from "../support/supervisor.ts";

test("it visits an app's page as ingress does", async () => {
  const seen: { headers: IncomingHttpHeaders; url: string | undefined; from: string | undefined }[] = [];
  const app = createServer(({ headers, url, socket }, response) => {
    seen.push({ headers, url, from: socket.remoteAddress });
    response.setHeader("x-app", "1").writeHead(201).end("the page");
  });
  await new Promise<void>((resolve) => app.listen(0, "0.0.0.0", resolve));
  onTestFinished(() => void app.close());
  const supervisor = await startSupervisor();
  onTestFinished(() => supervisor.close());
  const { port } = app.address() as AddressInfo;
  const { status, headers, body } = await supervisor.visit(port, "/a?b=c", { localAddress: "127.0.0.2" });
  expect({ status, body, own: headers["x-app"] }).toEqual({ status: 201, body: "the page", own: "1" });
  expect(seen).toMatchObject([
    {
      url: "/a?b=c",
      from: "127.0.0.2",
      headers: { "x-ingress-path": expect.stringMatching(/^\/api\/hassio_ingress\//) },
    },
  ]);
});

test("it asks for its token, and says what it was asked", async () => {
  const supervisor = await startSupervisor();
  onTestFinished(() => supervisor.close());
  const ask = async (path: string, token: string): Promise<number> =>
    (await fetch(supervisor.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await ask("/services/mqtt", "wrong")).toBe(401);
  expect(await ask("/services/mqtt", supervisor.token)).toBe(400);
  expect(await ask("/core/api/", supervisor.token)).toBe(502);
  expect(await ask("/elsewhere", supervisor.token)).toBe(404);
  expect(supervisor.requests.map(({ status }) => status)).toEqual([401, 400, 502, 404]);
});
