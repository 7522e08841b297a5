/**
 * What a person does at the first start of Home Assistant, through the requests that its own pages make: create the
 * owner, pass the questions, make tokens that last, and set up the MQTT integration.
 */
import { connectApi, type HomeAssistantApi } from "./home-assistant-api.ts";
import { eventually } from "./waiting.ts";

export interface Tokens {
  /** Of the owner, an administrator. */
  readonly adminToken: string;
  /** Of a plain user without a person. */
  readonly userToken: string;
}

export interface MqttBroker {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

interface Flow {
  readonly type: string;
  readonly flow_id: string;
  readonly result: unknown;
  readonly errors?: object | null;
  readonly data_schema?: readonly { readonly name: string }[];
}

const FIRST_ANSWER_MS = 60_000;
const plainUser = { username: "plain", password: "plain-password" };

function body(content: object | URLSearchParams): RequestInit {
  if (content instanceof URLSearchParams) return { body: content };
  return { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } };
}

async function request(url: string, init: RequestInit, token?: string): Promise<unknown> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(30_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}

async function post<T>(url: string, content: object | URLSearchParams, token?: string): Promise<T> {
  return (await request(url, { method: "POST", ...body(content) }, token)) as T;
}

async function tokenFor(url: string, code: string): Promise<string> {
  const grant = { grant_type: "authorization_code", code, client_id: `${url}/` };
  return (await post<{ access_token: string }>(`${url}/auth/token`, new URLSearchParams(grant))).access_token;
}

async function createOwner(url: string): Promise<string> {
  const owner = { client_id: `${url}/`, name: "Owner", username: "owner", password: "owner-password", language: "en" };
  const { auth_code } = await post<{ auth_code: string }>(`${url}/api/onboarding/users`, owner);
  return await tokenFor(url, auth_code);
}

async function passQuestions(url: string, token: string): Promise<void> {
  await post(`${url}/api/onboarding/analytics`, {}, token);
  const client = { client_id: `${url}/`, redirect_uri: `${url}/?auth_callback=1` };
  await post(`${url}/api/onboarding/integration`, client, token);
}

async function lastingToken(api: HomeAssistantApi): Promise<string> {
  return await api.call<string>({ type: "auth/long_lived_access_token", client_name: "tests", lifespan: 365 });
}

async function createPlainUser(api: HomeAssistantApi): Promise<void> {
  const { user } = await api.call<{ user: { id: string } }>({
    type: "config/auth/create",
    name: "Plain",
    group_ids: ["system-users"],
    local_only: true,
  });
  await api.call({ type: "config/auth_provider/homeassistant/create", user_id: user.id, ...plainUser });
}

/** A user's own tokens can only be made by that user. */
async function logInAsPlainUser(url: string): Promise<string> {
  const client_id = `${url}/`;
  const start = { client_id, handler: ["homeassistant", null], redirect_uri: client_id };
  const { flow_id } = await post<Flow>(`${url}/auth/login_flow`, start);
  const { result } = await post<Flow>(`${url}/auth/login_flow/${flow_id}`, { client_id, ...plainUser });
  return await tokenFor(url, String(result));
}

async function withApi<T>(url: string, token: string, use: (api: HomeAssistantApi) => Promise<T>): Promise<T> {
  const api = await connectApi(url, token);
  try {
    return await use(api);
  } finally {
    await api.close();
  }
}

/** Waits until a fresh Home Assistant answers, and takes it through its onboarding. */
export async function onboard(url: string): Promise<Tokens> {
  await eventually(FIRST_ANSWER_MS, "The onboarding page", () => request(`${url}/api/onboarding`, {}));
  const ownersToken = await createOwner(url);
  await passQuestions(url, ownersToken);
  const adminToken = await withApi(url, ownersToken, async (api) => {
    await createPlainUser(api);
    return await lastingToken(api);
  });
  const userToken = await withApi(url, await logInAsPlainUser(url), lastingToken);
  return { adminToken, userToken };
}

/** Older versions ask for fewer things, and refuse what they did not ask for. */
function brokerForm(flow: Flow, { host, ...rest }: MqttBroker): object {
  const other_settings = { set_ca_cert: "off", set_client_cert: false, transport: "tcp" };
  const asksForMore = flow.data_schema?.some(({ name }) => name === "other_settings") ?? false;
  return { broker: host, ...rest, ...(asksForMore ? { other_settings } : {}) };
}

export async function addMqtt(url: string, token: string, broker: MqttBroker): Promise<void> {
  const flows = `${url}/api/config/config_entries/flow`;
  const flow = await post<Flow>(flows, { handler: "mqtt" }, token);
  const end = await post<Flow>(`${flows}/${flow.flow_id}`, brokerForm(flow, broker), token);
  if (end.type !== "create_entry")
    throw new Error(`Home Assistant refused the broker: ${JSON.stringify(end.errors ?? end)}`);
}
