/** Tries Home Assistant and our rights there, as `pawline check` shows it. */
import { describeError, FatalError } from "../../lib/errors.ts";
import type { Finding } from "../../lib/finding.ts";
import type { HomeAssistant } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import type { MobileApp } from "./mobile-app/mobile-app.ts";
import type { HomeAssistantOptions } from "./options.ts";
import { chooseRoute, mqttStateOf, type Situation } from "./route.ts";
import { hasBridgeOf } from "./second-way.ts";
import { logIn } from "./session.ts";
import { componentsOf, followEntries, type Session, whoAmI } from "./situation.ts";

interface ProbeContext {
  readonly options: HomeAssistantOptions;
  readonly endpoint: () => Promise<Endpoint>;
  /** Whether the pets have no other way. */
  readonly isRequired: boolean;
  readonly clientId: string;
  readonly mobileApp: MobileApp;
}

export async function* probe(context: ProbeContext, signal: AbortSignal): AsyncGenerator<Finding> {
  const { endpoint, isRequired } = context;
  const part = "Home Assistant";
  let ha: HomeAssistant;
  try {
    ha = await logIn(await endpoint(), signal);
  } catch (error) {
    const isRefused = error instanceof FatalError;
    const remedy = isRefused ? "" : "; check home_assistant.url, and that Home Assistant is running";
    const result = isRequired ? (isRefused ? "refused" : "unreachable") : "hint";
    yield { part, result, sentence: `${describeError(error)}${remedy}` };
    return;
  }
  try {
    yield { part, result: "works", sentence: `connected to ${ha.name}, and the token is accepted` };
    yield* lookAround(ha, context);
  } catch (error) {
    yield { part, result: "unreachable", sentence: describeError(error) };
  } finally {
    ha.close();
  }
}

async function* lookAround(ha: HomeAssistant, context: ProbeContext): AsyncGenerator<Finding> {
  const components = await componentsOf(ha);
  if (components === undefined) {
    yield { part: "Home Assistant", result: "hint", sentence: "it is starting: ask again in a minute" };
    return;
  }
  const user = await whoAmI(ha);
  const mqtt = mqttStateOf(await followEntries(ha, () => {}));
  yield {
    part: "Home Assistant user",
    result: "works",
    sentence: user.isAdmin
      ? "the token is an administrator's"
      : "the token is a plain user's: MQTT through Home Assistant and native controls need an administrator's",
  };
  const isThere = mqtt === "loaded" ? "is set up" : mqtt === "absent" ? "is not set up" : `is there, but ${mqtt}`;
  const result = mqtt === "loaded" ? "works" : "hint";
  yield { part: "Home Assistant MQTT", result, sentence: `its integration ${isThere}` };
  const situation = { isAdmin: user.isAdmin, hasMobileApp: components.has("mobile_app"), mqtt };
  yield await findRoute({ ha, user }, situation, context);
}

async function findRoute(
  session: Pick<Session, "ha" | "user">,
  situation: Situation,
  { options, isRequired, clientId, mobileApp }: ProbeContext,
): Promise<Finding> {
  const part = "Home Assistant route";
  const decision = chooseRoute(options.route, situation);
  if ("problem" in decision) return { part, result: "refused", sentence: decision.problem };
  if (await hasBridgeOf(clientId, session)) {
    const sentence = "none: the pets come into this Home Assistant by a broker already";
    const remedy = ": remove the section home_assistant or the section mqtt from the configuration";
    return isRequired
      ? { part, result: "refused", sentence: `${sentence}${remedy}` }
      : { part, result: "hint", sentence };
  }
  const problem = decision.route === "mobile_app" ? await mobileApp.problem(session) : undefined;
  if (problem !== undefined) return { part, result: "refused", sentence: problem };
  return { part, result: "works", sentence: `${decision.route}, because ${decision.why}` };
}
