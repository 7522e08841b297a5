/** Finds in Home Assistant what the program has ever published there, as `pawline cleanup` removes it. */
import { RecoverableError } from "../../lib/errors.ts";
import type { OpenTraces, Traces } from "../publisher.ts";
import type { Endpoint } from "./endpoint.ts";
import { mqttStateOf } from "./route.ts";
import { withSession } from "./session.ts";
import type { Session } from "./situation.ts";
import type { Routes } from "./tidy.ts";

/** @throws FatalError, RecoverableError with a sentence for the user */
export async function openTraces(
  endpoint: () => Promise<Endpoint>,
  routes: Routes,
  signal: AbortSignal,
): Promise<OpenTraces> {
  const done = Promise.withResolvers<void>();
  const found = Promise.withResolvers<Traces>();
  const visit = withSession(await endpoint(), signal, async (session) => {
    found.resolve(await tracesOf(session, routes));
    await done.promise;
  }).then(
    () => found.reject(new RecoverableError("stopped before anything was found")),
    (error: unknown) => found.reject(error),
  );
  const traces = await found.promise;
  return {
    ...traces,
    async close() {
      done.resolve();
      await visit;
    },
  };
}

const IN_HOME_ASSISTANT: Traces["words"] = {
  one: "entry",
  place: "in Home Assistant",
  advice: "Is Pawline still running? What it may not remove itself can be deleted in Home Assistant.",
};

/** Nothing was found, or could be. */
export const NO_TRACES: OpenTraces = {
  names: [],
  words: IN_HOME_ASSISTANT,
  isInUse: false,
  remove: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

async function tracesOf(session: Session, { mqtt, mobile_app: mobileApp }: Routes): Promise<Traces> {
  const isMqttOurs = session.user.isAdmin && mqttStateOf(session.entries) === "loaded";
  const atBroker = isMqttOurs ? await mqtt.traces(session) : undefined;
  const registered = await mobileApp.traces(session);
  return {
    names: [...(atBroker?.names ?? []), ...registered],
    words: IN_HOME_ASSISTANT,
    isInUse: atBroker?.isInUse ?? false,
    remove: async (signal) => [...((await atBroker?.remove(signal)) ?? []), ...(await mobileApp.leave(session))],
  };
}
