/** Finds at the broker what the program has ever published there, as `pawline cleanup` removes it. */
import type { Topics } from "../../discovery/topics.ts";
import { findTraces } from "../../discovery/traces.ts";
import { FatalError } from "../../lib/errors.ts";
import type { OpenTraces } from "../publisher.ts";
import { type Connection, LoginRefused, openConnection } from "./connection.ts";
import type { MqttOptions } from "./options.ts";

/** @throws FatalError, RecoverableError with a sentence for the user */
export async function openTraces(
  options: MqttOptions,
  topics: Topics,
  clientId: string,
  signal: AbortSignal,
): Promise<OpenTraces> {
  const connection = await open(options, `${clientId}-cleanup`, signal);
  try {
    const { base_topic: base, discovery } = options;
    const traces = await findTraces(connection, topics, { base, prefix: discovery.prefix });
    return { ...traces, close: () => connection.end([]) };
  } catch (error) {
    await connection.end([]);
    throw error;
  }
}

/** Nobody tries again here: a refused login is the end of it. */
async function open(options: MqttOptions, clientId: string, signal: AbortSignal): Promise<Connection> {
  try {
    return await openConnection(options, clientId, undefined, signal);
  } catch (error) {
    throw error instanceof LoginRefused ? new FatalError(error.message, { cause: error }) : error;
  }
}
