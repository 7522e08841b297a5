/** Where a request comes from, and where it was meant to go. */
import type { IncomingMessage } from "node:http";
import { isLoopback } from "../../../lib/loopback.ts";

/** On a socket for both families an IPv4 address comes in IPv6's clothes. */
export function clientOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/i, "");
}

/** Of the `Host` header, without the port; only programs that are no browser leave it out. */
export function hostNameOf(host: string | undefined): string {
  if (host === undefined) return "localhost";
  return host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
}

/** What proxies and tunnels say of whom they speak for. */
const FORWARDED = /^(?:forwarded|via|x-forwarded-.+|x-real-ip|true-client-ip|cf-connecting-ip|x-client-ip)$/;

/** This computer itself, and not somebody behind a proxy that runs on it. */
export function isFromHere(request: IncomingMessage): boolean {
  return isLoopback(clientOf(request)) && !Object.keys(request.headers).some((name) => FORWARDED.test(name));
}
