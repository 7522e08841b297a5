/** The live API of a house, as a program would use it. */
import type { TestContext } from "vitest";
import type { z } from "../../src/lib/schema.ts";
import { type ApiDevice, device as deviceSchema, type Problem, problem } from "../../src/publishers/live/api/schema.ts";
import { freePort } from "../e2e/support/network.ts";
import { eventually } from "../e2e/support/waiting.ts";
import { type House, type HouseOptions, moveIn } from "./house.ts";
import { type Answered, type Asked, ask } from "./http.ts";
import { PATIENCE_MS } from "./until.ts";

export interface Api {
  readonly house: House;
  readonly port: number;
  readonly url: string;
  /** @param path from `/api/` */
  readonly ask: (path: string, asked?: Asked) => Promise<Answered>;
  /** The answer of one that succeeds. */
  readonly read: <Of>(path: string, schema: z.ZodType<Of>, asked?: Asked) => Promise<Of>;
  /** The device, as soon as it is as the test wants it. */
  readonly becomes: (id: string, wanted: (device: ApiDevice) => boolean) => Promise<ApiDevice>;
  readonly command: (body: unknown, headers?: Asked["headers"], id?: string) => Promise<Answered>;
}

export const OREO_ID = "pettracer_14758";

export async function openApi(context: TestContext, options: HouseOptions = {}): Promise<Api> {
  const port = await freePort();
  const house = await moveIn(context, { ...options, live: { port, ...options.live } });
  return apiOf(house, await served(house, port, options));
}

/** Between being found and being used a port may be taken by somebody else on this machine. */
async function served(house: House, port: number, options: HouseOptions): Promise<number> {
  const line = await house.logged(new RegExp(`the page is at \\S+:${port}/|port ${port} at \\S+ is in use`));
  if (!line.endsWith("in use")) return port;
  const other = await freePort();
  await house.reload({ live: { ...options.live, port: other } });
  return await served(house, other, options);
}

export function apiOf(house: House, port: number): Api {
  const url = `http://127.0.0.1:${port}`;
  const api: Api = {
    house,
    port,
    url,
    ask: (path, asked) => ask(`${url}/api/${path}`, asked),
    async read(path, schema, asked) {
      const { status, body } = await api.ask(path, asked);
      if (status !== 200) throw new Error(`HTTP ${status}: ${body}`);
      return schema.parse(JSON.parse(body));
    },
    becomes: (id, wanted) =>
      eventually(PATIENCE_MS, `${id} as it should be`, async () => {
        const found = await api.read(`devices/${id}`, deviceSchema);
        return wanted(found) ? found : undefined;
      }),
    command: (body, headers = {}, id = OREO_ID) => api.ask(`devices/${id}/commands`, { method: "POST", body, headers }),
  };
  return api;
}

/** What was wrong, in the form that every refusal has. */
export function problemOf({ status, headers, body }: Answered): Problem {
  const told = problem.parse(JSON.parse(body));
  if (headers["content-type"] !== "application/problem+json; charset=utf-8") throw new Error("no problem");
  if (told.status !== status) throw new Error(`the answer says ${told.status}, and is ${status}`);
  if (!/^[A-ZÀ-Ý“].*[.:]$/.test(told.detail)) throw new Error(`no sentence: ${told.detail}`);
  return told;
}
