/** Where everybody in the network could come, somebody has to be able to show who they are. */
import { branchOf } from "../../../lib/branch.ts";
import type { TokenKeeper } from "../../../tokens/keeper.ts";
import { isPrivate, type LiveOptions } from "../options.ts";

export function lacksToken(options: LiveOptions, tokens: TokenKeeper): boolean {
  return !options.ingress && !isPrivate(options) && tokens.current().length === 0;
}

export function noTokenAt({ host }: LiveOptions): string {
  return (
    `live.host ${host} can be reached by others, and there is no token yet: make one with ` +
    "“pawline token create --name NAME”, or set live.host to 127.0.0.1."
  );
}

/** Resolves when there is one, or when the signal is aborted. */
export async function tokenMade(tokens: TokenKeeper, signal: AbortSignal): Promise<void> {
  const wait = branchOf(signal);
  const look = (): void => {
    if (tokens.current().length > 0) wait.end();
  };
  look();
  await tokens.watch(look, wait.signal);
}
