/** Somebody with the maker's app: commands that are not ours. What fails is not tried again. */
import type { Cloud } from "../../src/demo/cloud.ts";
import type { Home } from "./world.ts";

export interface App {
  setMode(id: number, mode: number): Promise<void>;
  setLight(id: number, isOn: boolean): Promise<void>;
}

/** By this header the calls of the app are told from the daemon's. */
export const APP_HEADER = "x-app";
const PATIENCE_MS = 3_000;

export function startApp(cloud: Cloud, { login, password }: Home): App {
  async function post(path: string, body: object, token = ""): Promise<string> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}`, [APP_HEADER]: "yes" };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(cloud.portalUrl + path, { method: "POST", headers, body: JSON.stringify(body), signal });
    return await answer.text();
  }

  async function command(path: string, body: object): Promise<void> {
    try {
      const { access_token: token } = JSON.parse(await post("/user/login", { login, password }));
      await post(path, body, String(token));
    } catch {
      // The cloud has its troubles; the app's user puts it down.
    }
  }

  return {
    setMode: (id, mode) => command("/map/setccmode", { devType: 0, devId: id, cmdNr: mode }),
    setLight: (id, isOn) => command(`/map/setccled/${id}/${isOn ? 1 : 2}`, {}),
  };
}
