/**
 * The REST calls of the portal, one small function each: from an account and a checked body to an answer. No HTTP
 * in here. A device of another account is answered like one that does not exist.
 */
import { type CommandDesk, takenMode } from "./commands.ts";
import { type Fields, isFields, isInteger } from "./json.ts";
import { isMode } from "./modes.ts";
import { pushPartial } from "./push.ts";
import { cloudTime } from "./time.ts";
import { type Account, type Device, devicesOf, issueToken, positionsBetween, type World } from "./world.ts";

export type Answer =
  | { readonly status: number }
  | { readonly status: 200; readonly json: unknown }
  | { readonly status: 200; readonly bytes: Uint8Array; readonly type: string };

export interface Request {
  readonly world: World;
  readonly desk: CommandDesk;
  readonly account: Account;
  /** The parts of the path that vary, decoded. */
  readonly parts: readonly string[];
  /** The JSON body; empty where the call had none. */
  readonly body: Fields;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly answer: (request: Request) => Answer;
}

const badRequest: Answer = { status: 400 };
const notFound: Answer = { status: 404 };

function ok(json: unknown): Answer {
  return { status: 200, json };
}

function collarOf(account: Account, id: unknown): Device | undefined {
  const device = typeof id === "number" ? account.devices.get(id) : undefined;
  return device?.kind === "collar" ? device : undefined;
}

function expiresField(world: World, expiresAt: number): Fields {
  const { expires } = world.settings;
  if (expires === "missing") return {};
  return { expires: expires === "date" ? cloudTime(expiresAt).slice(0, 10) : cloudTime(expiresAt) };
}

function subscription(account: Account): Fields {
  const { id, subscriptionEnds } = account.options;
  const dateExpires = subscriptionEnds ?? "2099-12-31";
  return { id: 70_000 + id, userId: id, dateExpires, odooId: 5000, name: "Demo", subscription: true };
}

/** Answers a login. `body` is whatever the client sent; 400 where it has no login and password. */
export function login(world: World, body: Fields): Answer {
  const account = typeof body.login === "string" ? world.accounts.get(body.login) : undefined;
  if (typeof body.login !== "string" || typeof body.password !== "string") return badRequest;
  if (account?.options.password !== body.password) return { status: 401 };
  const { token, expiresAt } = issueToken(world, account);
  const { id, login, name, lang = "en_GB", loginAnswer } = account.options;
  return ok({
    id,
    login,
    name,
    lang,
    partner_id: [id + 1, name],
    partnerId: id + 1,
    country_id: [233, "United Kingdom"],
    access_token: token,
    ...expiresField(world, expiresAt),
    numberOfCCs: devicesOf(account, "collar").length,
    show_is_home: true,
    addEmails: null,
    settings: null,
    abo: { ...subscription(account), paypalSubscriptionId: null },
    ...loginAnswer,
  });
}

function profile({ account }: Request): Answer {
  const { id, login, name, lang = "en_GB" } = account.options;
  const address = { street: "1 Made-up Lane", zip: "AB1 2CD", city: "Nowhere", mobile: null };
  return ok({ id, email: login, name, ...address, lang, country_id: 233 });
}

/** The list leaves the telegrams out; only `getccinfo` and the stream carry them. */
function collars({ account }: Request): Answer {
  return ok(devicesOf(account, "collar").map(({ record }) => ({ ...record, fiFo: [] })));
}

function collarInfo({ world, account, body }: Request): Answer {
  if (!isInteger(body.devId)) return badRequest;
  const collar = collarOf(account, body.devId);
  if (!collar) return notFound;
  return ok(world.settings.getccinfo === "array" ? [collar.record] : collar.record);
}

function positions({ world, account, body }: Request): Answer {
  const { devId, filterTime, toTime } = body;
  if (!isInteger(devId) || !isInteger(filterTime) || !isInteger(toTime)) return badRequest;
  const collar = collarOf(account, devId);
  return collar ? ok(positionsBetween(world, collar, filterTime, toTime)) : notFound;
}

function homeStations({ account }: Request): Answer {
  return ok(devicesOf(account, "station").map(({ record }) => record));
}

function commandTaken(world: World, collar: Device): Answer {
  return world.settings.commandAnswer === "empty" ? { status: 200 } : ok({ ...collar.record, fiFo: [] });
}

/** What was asked is told at once (`modeSet`); what the collar is in follows at its poll. */
function setMode({ world, desk, account, body }: Request): Answer {
  const { devType, devId, cmdNr } = body;
  if (devType !== 0 || !isInteger(devId) || !isMode(cmdNr)) return badRequest;
  const collar = collarOf(account, devId);
  if (!collar) return notFound;
  pushPartial(world, collar, { modeSet: cmdNr });
  desk.ask(collar, takenMode(cmdNr, world.settings));
  return commandTaken(world, collar);
}

function setSwitch(field: "led" | "buz", { world, desk, account, parts }: Request): Answer {
  const [id, command] = parts.map(Number);
  const collar = collarOf(account, id);
  if (!collar) return notFound;
  if (command !== 1 && command !== world.settings.offCommand) return badRequest;
  desk.ask(collar, { [field]: command === 1 });
  return commandTaken(world, collar);
}

function image({ world, parts }: Request): Answer {
  const picture = world.pictures.get(parts[0] ?? "");
  return picture ? { status: 200, ...picture } : notFound;
}

const routes: readonly Route[] = [
  { method: "GET", path: /^\/user\/profile$/, answer: profile },
  { method: "GET", path: /^\/map\/getccs$/, answer: collars },
  { method: "POST", path: /^\/map\/getccinfo$/, answer: collarInfo },
  { method: "POST", path: /^\/map\/getccpositions$/, answer: positions },
  { method: "GET", path: /^\/user\/gethomestations$/, answer: homeStations },
  { method: "POST", path: /^\/map\/setccmode$/, answer: setMode },
  { method: "POST", path: /^\/map\/setccled\/(\d+)\/(\d+)$/, answer: (request) => setSwitch("led", request) },
  { method: "POST", path: /^\/map\/setccbuz\/(\d+)\/(\d+)$/, answer: (request) => setSwitch("buz", request) },
  { method: "GET", path: /^\/image\/([^/]+)$/, answer: image },
];

/** Answers every call but the login; 404 for what the portal has not. */
export function answerCall(
  method: string,
  path: string,
  request: Omit<Request, "parts" | "body">,
  body: unknown,
): Answer {
  const route = routes.find((candidate) => candidate.method === method && candidate.path.test(path));
  if (!route) return notFound;
  const parts = (route.path.exec(path) ?? []).slice(1);
  return route.answer({ ...request, parts, body: isFields(body) ? body : {} });
}
