/** `/api/events`: what happened, from the journal. */

import type { Feed } from "../../publisher.ts";
import { eventOf } from "../api/event.ts";
import { eventsQuery } from "../api/requests.ts";
import { maySee, type Principal } from "../principal.ts";
import { type Answer, json } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { readQuery } from "./query.ts";

const USUAL = 100;

export function eventEndpoints(feed: Feed): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/api/events",
      needs: "read",
      answer: ({ request, principal }) => eventsFor(request.url ?? "", principal, feed),
    },
  ];
}

function eventsFor(url: string, principal: Principal, feed: Feed): Answer {
  const { after, device, type, limit = USUAL } = readQuery(url, eventsQuery);
  const kept = feed.activities(0);
  const wanted = kept.filter((activity) => {
    const isWanted =
      (device === undefined || activity.device === device) && (type === undefined || activity.type === type);
    return isWanted && activity.sequence > (after ?? 0) && maySee(principal, activity.device);
  });
  // Whoever goes on from a number wants what follows it, everybody else the latest.
  const told = after === undefined ? wanted.slice(Math.max(0, wanted.length - limit)) : wanted.slice(0, limit);
  return json({
    events: told.map((activity) => eventOf(activity, feed.state)),
    last: kept.at(-1)?.sequence ?? 0,
    missed: after !== undefined && (kept[0]?.sequence ?? 1) > after + 1,
  });
}
