/** What can be asked for: by which method, at which path, by whom. */
import type { IncomingMessage } from "node:http";
import type { Scope } from "../../../tokens/token.ts";
import type { Principal } from "../principal.ts";
import type { Answer } from "./answer.ts";

type Method = "GET" | "POST" | "DELETE";

export interface Asked {
  readonly request: IncomingMessage;
  /** What stands in the path where the pattern has a name in braces. */
  readonly params: Readonly<Record<string, string>>;
}

interface Place {
  readonly method: Method;
  /** `/api/devices/{id}`; each name stands for one part. */
  readonly path: string;
}

/**
 * Open to whoever gets to the door: `watch` shows nothing of anybody, for programs that watch over us; `metrics` neither,
 * and is for this computer or a token; `public` is for whoever may see the page at all.
 */
interface OpenEndpoint extends Place {
  readonly needs: "watch" | "metrics" | "public";
  answer(asked: Asked): Answer | Promise<Answer>;
}

/** For those who have said who they are (`known`), or who may do what the scope says. */
interface GuardedEndpoint extends Place {
  readonly needs: "known" | Scope;
  answer(asked: Asked & { readonly principal: Principal }): Answer | Promise<Answer>;
}

export type Endpoint = OpenEndpoint | GuardedEndpoint;

export interface Match {
  /** All methods that there are at this path. */
  readonly endpoints: readonly Endpoint[];
  readonly params: Readonly<Record<string, string>>;
}

/** Undefined where there is nothing. Patterns that are all text win over those with names. */
export function createMatcher(endpoints: readonly Endpoint[]): (path: string) => Match | undefined {
  const byPath = Map.groupBy(endpoints, ({ path }) => path);
  const patterns = [...byPath]
    .filter(([path]) => path.includes("{"))
    .map(([path, found]) => [path.split("/"), found] as const);
  return (path) => {
    const exact = byPath.get(path);
    if (exact !== undefined && !path.includes("{")) return { endpoints: exact, params: {} };
    const parts = path.split("/");
    for (const [pattern, found] of patterns) {
      const params = paramsOf(pattern, parts);
      if (params !== undefined) return { endpoints: found, params };
    }
    return undefined;
  };
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, name] of pattern.entries()) {
    const part = decoded(parts[index] ?? "");
    if (name.startsWith("{") ? !part : name !== parts[index]) return undefined;
    if (name.startsWith("{")) params.push([name.slice(1, -1), part ?? ""]);
  }
  return Object.fromEntries(params);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
