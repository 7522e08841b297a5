/** Whether Pawline does its work: every account has listed its devices, and every publisher runs. */
import type { State } from "../../model/device.ts";

interface MissingPart {
  readonly role: "source" | "publisher";
  readonly name: string;
  /** What it is waiting for, in a sentence. */
  readonly reason: string;
}

/** Empty when all is ready. A cloud that goes away later is no reason: what it had listed is still served. */
export function missingParts(state: State): MissingPart[] {
  const bridge = state.get("bridge");
  const components = bridge?.kind === "bridge" ? bridge.components : [];
  const accounts = [...state.values()].filter((entry) => entry.kind === "account" && !entry.listed);
  const sources = accounts.flatMap((entry): MissingPart[] => {
    if (entry.kind !== "account") return [];
    const { error } = components.find(({ role, name }) => role === "source" && name === entry.source) ?? {};
    return [{ role: "source", name: entry.source, reason: error ?? "has not listed its devices yet" }];
  });
  const publishers = components
    .filter(({ role, state: condition }) => role === "publisher" && condition !== "running")
    .map(({ name, error }): MissingPart => ({ role: "publisher", name, reason: error ?? "is not connected yet" }));
  return [...sources, ...publishers];
}
