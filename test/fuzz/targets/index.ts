/** Every input of the program. */
import type { Target } from "../target.ts";
import { broker } from "./broker.ts";
import { commands } from "./commands.ts";
import { config } from "./config.ts";
import { data } from "./data.ts";
import { environment } from "./environment.ts";
import { flags } from "./flags.ts";
import { homeassistant } from "./homeassistant.ts";
import { http } from "./http.ts";
import { message } from "./message.ts";
import { rest } from "./rest.ts";
import { sockjs } from "./sockjs.ts";
import { stomp } from "./stomp.ts";
import { stream } from "./stream.ts";

export const TARGETS: readonly Target[] = [
  sockjs,
  stomp,
  stream,
  message,
  rest,
  commands,
  broker,
  config,
  environment,
  flags,
  http,
  homeassistant,
  data,
];
