/**
 * Who may ask for what. There is no login yet: so the address that a request comes from decides. In Home Assistant's
 * app that is the Supervisor, which has checked the user; elsewhere it is this computer itself.
 */
import type { IncomingMessage } from "node:http";
import { isLoopback } from "../../lib/loopback.ts";
import type { LiveOptions } from "./options.ts";

/** `page` shows the user's pets; `watch` is for programs that watch over us, and shows nothing of anybody. */
export type Audience = "page" | "watch";

/** From where the Supervisor hands on what comes through Ingress: always the same address. */
const SUPERVISOR = "172.30.32.2";

/** Why this request is not served, in a sentence; undefined when it is. */
export function refusal(
  { socket, headers }: IncomingMessage,
  { ingress }: LiveOptions,
  audience: Audience,
): string | undefined {
  // On a socket for both families an IPv4 address comes in IPv6's clothes.
  const client = (socket.remoteAddress ?? "").replace(/^::ffff:/i, "");
  if (ingress && client === SUPERVISOR) return undefined;
  if (!isLoopback(client)) return ingress ? FOR_SUPERVISOR : FOR_THIS_COMPUTER;
  if (audience === "watch") return undefined;
  if (ingress) return FOR_SUPERVISOR;
  return isLoopback(hostNameOf(headers.host)) ? undefined : FOREIGN_NAME;
}

const FOR_SUPERVISOR = "This page is served through Home Assistant alone: open Pawline in Home Assistant's sidebar.";
const FOR_THIS_COMPUTER = "This page is served to the computer that Pawline runs on alone: open it there.";
/** A page of somebody else's could have its own name lead to this computer, and read along in the user's browser. */
const FOREIGN_NAME = "This page is served under the address 127.0.0.1 or the name localhost alone: use one of them.";

/** Of the `Host` header; only programs that are no browser leave it out. */
function hostNameOf(host: string | undefined): string {
  if (host === undefined) return "localhost";
  return host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
}
