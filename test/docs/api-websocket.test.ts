/** What docs/api-websocket.md says is what is done, and its client works as it stands there. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clientMessage, serverMessage } from "../../src/publishers/live/api/messages.ts";
import { ERROR_CODES } from "../../src/publishers/live/api/schema.ts";
import { LIMITS } from "../../src/publishers/live/socket/limits.ts";
import { createHerd } from "../support/herd.ts";
import { startLive } from "../support/live.ts";
import { temporaryFolder } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { code, codeBlock, codeBlocks, read, section, tableRows } from "./markdown.ts";

const text = read("docs/api-websocket.md");

test("each message that it shows is one", () => {
  const messages = codeBlocks(text).flatMap(({ language, text: json }) =>
    language === "json" ? [JSON.parse(json)] : [],
  );
  expect(messages.length).toBeGreaterThan(8);
  for (const message of messages) {
    const schema = ["subscribe", "command"].includes(message.type) ? clientMessage : serverMessage;
    expect(schema.safeParse(message).error).toBeUndefined();
  }
});

test("the limits are those that hold", () => {
  const welcome = JSON.parse(codeBlock(section(text, "A conversation"), "json"));
  expect(welcome).toMatchObject({
    heartbeat_ms: LIMITS.heartbeatMs,
    limits: {
      message_bytes: LIMITS.messageBytes,
      subscriptions: LIMITS.subscriptions,
      messages_per_second: LIMITS.messagesPerSecond,
      burst: LIMITS.burst,
    },
  });
  const limits = section(text, "Limits").replace(/\s+/g, " ");
  for (const sentence of [
    `up to ${LIMITS.messageBytes.toLocaleString("en")} bytes`,
    `${LIMITS.subscriptions} subscriptions`,
    `${LIMITS.burst} messages at once, then ${LIMITS.messagesPerSecond} a second`,
    `every ${LIMITS.heartbeatMs / 1_000} seconds`,
    `not answered for ${LIMITS.silenceMs / 1_000} seconds`,
    `${LIMITS.windowBytes / 1_024} kB are on their way`,
    `behind for ${LIMITS.slowMs / 1_000} seconds`,
  ])
    expect(limits).toContain(sentence);
  expect(text).toContain(`${LIMITS.commands} commands whose end is not known`);
});

test("every request and every code of an error is told of", () => {
  const requests = tableRows(section(text, "A conversation")).map(([cell]) => code(cell));
  expect(requests).toEqual(expect.arrayContaining(clientMessage.options.map(({ shape }) => shape.type.value)));
  const codes = tableRows(section(text, "Errors")).flatMap(([cell]) => code(cell) ?? []);
  expect(ERROR_CODES).toEqual(expect.arrayContaining(codes));
  expect(codes).toEqual(expect.arrayContaining(["invalid_json", "rate_limited", "command_failed", "unknown_topic"]));
});

test("its client shows the cats, follows them, and comes back after a restart without missing what happened", async (context) => {
  const { path } = temporaryFolder((end) => context.onTestFinished(async () => await end()));
  const file = join(path, "watch.mjs");
  writeFileSync(file, codeBlock(text, "js"));
  const herd = createHerd();
  herd.list("pettracer", [1, 2]);
  herd.report(1, { home: false });
  const feed = {
    changes: (signal: AbortSignal) => herd.store.changes(signal),
    activities: (after: number) => herd.store.activities(after),
  };
  const live = await startLive(context, herd.store.state, {}, feed);
  const child = spawn(process.execPath, [file, `ws://127.0.0.1:${live.port}/api/ws`]);
  context.onTestFinished(() => void child.kill());
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      output += String(data);
    });
  const says = async (what: string): Promise<void> => {
    await until(() => output.includes(what), what, 15_000).catch(() => expect(output).toContain(what));
  };
  await says("pettracer_2 nobody knows where");
  herd.move(1, 51);
  await says("pettracer_1 51 10");
  herd.report(1, { home: true });
  await says("Cat 1: came_home");
  await live.stop();
  await says("closed (1012)");
  herd.report(1, { home: false });
  await startLive(context, herd.store.state, { port: live.port }, feed);
  await says("Cat 1: left_home");
  expect(output.match(/came_home/g)).toHaveLength(1);
}, 60_000);
