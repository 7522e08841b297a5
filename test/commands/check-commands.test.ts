/** `pawline check --commands DEVICE`: asks before it sends, and finds the number that switches a light off. */
import { expect, test } from "vitest";
import { runInLab } from "./in-process.ts";
import { type Lab, OREO, openLab } from "./lab.ts";

/** The light's commands that reached the cloud: their numbers, in their order. */
function sent(lab: Lab): string[] {
  return lab.cloud.calls.flatMap(({ path }) => /^\/map\/setccled\/\d+\/(\d)$/.exec(path)?.[1] ?? []);
}

async function openQuickLab(...given: Parameters<typeof openLab>): Promise<Lab> {
  const lab = await openLab(...given);
  // The collar takes each command at once, and is in a mode that would not keep us waiting for long.
  lab.cloud.setPollDelay(OREO, 1);
  lab.cloud.push(OREO, { mode: 5, modeSet: 5 });
  return lab;
}

test("with the default number it says that there is nothing to do", async ({ onTestFinished }) => {
  const lab = await openQuickLab(onTestFinished);
  const questions: string[] = [];
  const answer = (question: string): Promise<string> => {
    questions.push(question);
    return Promise.resolve("y");
  };
  const { code, stdout } = await runInLab(lab, ["check", "--commands", "oreo"], { answer });
  expect(stdout).toContain("✓ The light is on");
  expect(stdout).toContain("✓ The light is off with 2: nothing to do");
  expect(questions).toHaveLength(2);
  expect(sent(lab)).toEqual(["1", "2"]);
  expect(code).toBe(0);
});

test("where the other number is right, it says what to write", async ({ onTestFinished }) => {
  const lab = await openQuickLab(onTestFinished);
  lab.cloud.settings.offCommand = 0;
  const { code, stdout } = await runInLab(lab, ["check", "--commands", String(OREO)], {
    answer: () => Promise.resolve("yes"),
  });
  expect(stdout).toContain("• 2 did not switch it off");
  expect(stdout).toContain("write off_code: 0 into the account's configuration");
  expect(sent(lab)).toEqual(["1", "2", "0"]);
  expect(code).toBe(0);
});

test("nothing is sent without a yes", async ({ onTestFinished }) => {
  const lab = await openQuickLab(onTestFinished);
  for (const reply of ["n", "", "what?"]) {
    const { code } = await runInLab(lab, ["check", "--commands", "Oreo"], { answer: () => Promise.resolve(reply) });
    expect(code).toBe(0);
  }
  expect(sent(lab)).toEqual([]);
});

test("nothing is sent where nobody can be asked, or for a collar that there is not", async ({ onTestFinished }) => {
  const lab = await openQuickLab(onTestFinished);
  const unasked = await runInLab(lab, ["check", "--commands", "Oreo"]);
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("run it on a terminal") });
  const unknown = await runInLab(lab, ["check", "--commands", "Tom"], { answer: () => Promise.resolve("y") });
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no collar Tom") });
  expect(sent(lab)).toEqual([]);
});
