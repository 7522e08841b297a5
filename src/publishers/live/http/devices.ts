/** `/api/devices`: what there is, and what is known of it. */
import type { View } from "../../../entities/entity.ts";
import type { Collar, Entry } from "../../../model/device.ts";
import { accountsOf, deviceOf } from "../api/device.ts";
import { devicesQuery } from "../api/requests.ts";
import type { ApiDevice } from "../api/schema.ts";
import { maySee, type Principal } from "../principal.ts";
import { visibleView } from "../visible.ts";
import { type Answer, entityTag, json } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { RequestError } from "./problem.ts";
import { readQuery } from "./query.ts";

export function deviceEndpoints(view: View): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/api/devices",
      needs: "read",
      answer: ({ request, principal }) => json({ devices: devicesFor(request.url ?? "", principal, view) }),
    },
    {
      method: "GET",
      path: "/api/devices/{id}",
      needs: "read",
      answer: ({ params, principal }) => json(findDevice(params.id, principal, view).device),
    },
    {
      method: "GET",
      path: "/api/devices/{id}/photo",
      needs: "read",
      answer: ({ params, principal }) => photoOf(findDevice(params.id, principal, view).entry),
    },
  ];
}

function devicesFor(url: string, principal: Principal, all: View): ApiDevice[] {
  const view = visibleView(all, principal);
  const { account, source, kind } = readQuery(url, devicesQuery);
  return [...view.state.values()].flatMap((entry) => {
    const device = deviceOf(entry, view);
    if (device === undefined || !maySee(principal, device.id)) return [];
    const { sources, ids } = accountsOf(entry, view);
    const isWanted =
      (kind === undefined || device.kind === kind) &&
      (source === undefined || sources.includes(source)) &&
      (account === undefined || ids.includes(account));
    return isWanted ? [device] : [];
  });
}

export interface Found {
  readonly device: ApiDevice;
  readonly entry: Entry;
}

/** @throws RequestError for one that there is not; one that the token is not for is none for it */
export function findDevice(id: string | undefined, principal: Principal, all: View): Found {
  const view = visibleView(all, principal);
  for (const entry of view.state.values()) {
    // What is told of a device is made of all its entities: not for each that is passed by.
    if (entry.key !== id && !(entry.kind === "account" && entry.deviceKey === id)) continue;
    const device = deviceOf(entry, view);
    if (device !== undefined && device.id === id && maySee(principal, device.id)) return { device, entry };
  }
  throw new RequestError(404, "unknown_device", "There is no such device: /api/devices lists those that there are.");
}

/** @throws RequestError for what is no collar */
export function collarOf({ entry }: Found): Collar {
  if (entry.kind === "collar") return entry;
  throw new RequestError(404, "unknown_device", "Only a collar has this: ask for a device of the kind collar.");
}

function photoOf(entry: Entry): Answer {
  const photo = entry.kind === "collar" ? entry.photo : undefined;
  if (!photo) throw new RequestError(404, "not_found", "There is no picture of it: give it one in PetTracer's app.");
  const { bytes, contentType } = photo;
  return { type: contentType, body: bytes, headers: { "cache-control": "private, no-cache", etag: tagOf(bytes) } };
}

const tags = new WeakMap<Uint8Array, string>();

/** A picture is large, stays the same object, and is asked for again and again. */
function tagOf(bytes: Uint8Array): string {
  const tag = tags.get(bytes) ?? entityTag(bytes);
  tags.set(bytes, tag);
  return tag;
}
