/** Home Assistant's template helpers, through the forms that its own pages fill in. Administrators only. */
import { RecoverableError } from "../../../lib/errors.ts";
import { z } from "../../../lib/schema.ts";
import { CallRefused } from "../connection.ts";
import type { Rest } from "../rest.ts";
import { COMMAND_EVENT } from "./orders.ts";

const FLOWS = "/config/config_entries/flow";
const OPTION_FLOWS = "/config/config_entries/options/flow";

const step = z.looseObject({ flow_id: z.string(), type: z.string() });
const created = z.looseObject({ type: z.literal("create_entry"), result: z.looseObject({ entry_id: z.string() }) });
const changed = z.looseObject({ type: z.literal("create_entry") });
const field = z.looseObject({ description: z.looseObject({ suggested_value: z.unknown() }).optional() });
const form = z.looseObject({ flow_id: z.string(), data_schema: z.array(field) });
const action = z.looseObject({
  event: z.literal(COMMAND_EVENT),
  event_data: z.looseObject({ device: z.string(), command: z.string() }),
});

/** Answers the id of the new entry. @throws CallRefused, RecoverableError */
export async function createTemplate(rest: Rest, platform: string, body: object): Promise<string> {
  const { flow_id } = await rest.post(FLOWS, { handler: "template" }, step);
  return abandoning(rest, `${FLOWS}/${flow_id}`, async (path) => {
    await rest.post(path, { next_step_id: platform }, step);
    return (await rest.post(path, body, created)).result.entry_id;
  });
}

/** @throws CallRefused, RecoverableError */
export async function changeTemplate(rest: Rest, entry: string, body: object): Promise<void> {
  const { flow_id } = await rest.post(OPTION_FLOWS, { handler: entry }, step);
  await abandoning(rest, `${OPTION_FLOWS}/${flow_id}`, (path) => rest.post(path, body, changed));
}

/** Sets a helper up again. @throws CallRefused, RecoverableError */
export async function reloadEntry(rest: Rest, entry: string): Promise<void> {
  await rest.post(`/config/config_entries/entry/${entry}/reload`, {}, z.unknown());
}

/** Which pet's control a helper is; undefined for one that is not ours. @throws CallRefused, RecoverableError */
export async function readTemplate(
  rest: Rest,
  entry: string,
): Promise<{ device: string; command: string } | undefined> {
  const { flow_id, data_schema } = await rest.post(OPTION_FLOWS, { handler: entry }, form);
  await rest.remove(`${OPTION_FLOWS}/${flow_id}`);
  const suggested = data_schema.flatMap(({ description }) => description?.suggested_value ?? []);
  return suggested.map((one) => action.safeParse(one).data?.event_data).find((one) => one !== undefined);
}

/** A form that was refused would stand open for ever. */
async function abandoning<Result>(rest: Rest, path: string, fill: (path: string) => Promise<Result>): Promise<Result> {
  try {
    return await fill(path);
  } catch (error) {
    if (error instanceof CallRefused || error instanceof RecoverableError) await rest.remove(path).catch(() => {});
    throw error;
  }
}
