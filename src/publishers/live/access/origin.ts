/** Pages of others, in the user's own browser: they may not change anything here, nor listen in. */
import type { IncomingMessage } from "node:http";

/**
 * Whether the page that asks is ours, or one that the configuration names. Programs that are no browser send no Origin.
 * @param isForwarded whether the host that the browser asked may stand in `X-Forwarded-Host`: behind Ingress alone
 */
export function isOwnOrigin({ headers }: IncomingMessage, origins: readonly string[], isForwarded: boolean): boolean {
  const { origin, host } = headers;
  if (origin === undefined || isListed(origin, origins)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: asked } = new URL(origin);
  // What has no host is no page of ours: it would be the same as a host that cannot be read.
  if (asked === "") return false;
  const forwarded = headers["x-forwarded-host"];
  const names = [host, ...(isForwarded && typeof forwarded === "string" ? forwarded.split(",") : [])];
  return names.some((name) => name !== undefined && hostOf(name.trim(), protocol) === asked);
}

export function isListed(origin: string, origins: readonly string[]): boolean {
  return origins.some((one) => URL.canParse(origin) && new URL(one).origin === new URL(origin).origin);
}

/** With the port only where it is not the usual one, as it stands in an origin; undefined for what is no host. */
function hostOf(name: string, protocol: string): string | undefined {
  const url = `${protocol}//${name}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
