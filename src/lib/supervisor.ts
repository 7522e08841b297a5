/** Home Assistant's Supervisor, as the apps that it runs see it: by a token of their own, at an address of its own. */
import { describeError, RecoverableError } from "./errors.ts";
import { type HttpAnswer, request } from "./http.ts";
import { z } from "./schema.ts";

export interface SupervisorAccess {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly token: string;
}

/** The MQTT broker that runs beside us as an app. */
export interface BrokerService {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean;
  readonly username?: string;
  readonly password?: string;
  /** MQTT 5 instead of 3.1.1. */
  readonly isVersion5: boolean;
}

/** Whose name the broker's app has in the Supervisor's network. */
const BROKER_APP = "core-mosquitto";
/** It runs on the same machine. */
const ANSWER_MS = 10_000;

const text = z
  .string()
  .min(1)
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? undefined);

/** Some versions tell the port as text. */
const brokerAnswer = z.object({
  data: z.object({
    host: z.string().min(1),
    port: z.coerce.number().int().min(1).max(65_535),
    ssl: z.boolean().catch(false),
    username: text,
    password: text,
    protocol: z.coerce.string().catch(""),
  }),
});

/** Undefined where the program is not run as an app. `SUPERVISOR_API` names another address than the usual one. */
export function supervisorOf(environment: Readonly<Record<string, string | undefined>>): SupervisorAccess | undefined {
  const { SUPERVISOR_TOKEN: token, SUPERVISOR_API: address } = environment;
  if (!token) return undefined;
  return { apiUrl: (address || "http://supervisor").replace(/\/+$/, ""), token };
}

/**
 * Undefined where no app provides a broker.
 * @throws RecoverableError with a sentence for the user
 */
export async function findBroker(
  { apiUrl, token }: SupervisorAccess,
  signal: AbortSignal,
): Promise<BrokerService | undefined> {
  const { status, body } = await ask(`${apiUrl}/services/mqtt`, token, signal);
  if (status === 400) return undefined;
  if (status === 401 || status === 403) {
    throw new RecoverableError(`the Supervisor does not tell us its MQTT broker (HTTP ${status}): restart the app`);
  }
  if (status !== 200)
    throw new RecoverableError(`the Supervisor answered HTTP ${status} when asked for its MQTT broker`);
  const answer = brokerAnswer.safeParse(body);
  if (!answer.success) throw new RecoverableError("the Supervisor's answer about its MQTT broker makes no sense");
  return serviceOf(answer.data.data);
}

function serviceOf({
  host,
  username,
  password,
  protocol,
  ...service
}: z.output<typeof brokerAnswer>["data"]): BrokerService {
  return {
    ...service,
    // As seen from the broker's own container; from ours it is wrong.
    host: host === "localhost" ? BROKER_APP : host,
    isVersion5: protocol.startsWith("5"),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

async function ask(url: string, token: string, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
  const { status, bytes } = await answerOf(url, token, signal);
  return { status, body: parsed(bytes.toString("utf8")) };
}

async function answerOf(url: string, token: string, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    return await request(url, { token, signal, timeoutMs: ANSWER_MS });
  } catch (cause) {
    throw new RecoverableError(`the Supervisor cannot be reached: ${describeError(cause)}`, { cause });
  }
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
