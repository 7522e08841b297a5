/** Tokens as the command line makes them, and as the daemon keeps them. */
import { changeTokens } from "../../src/tokens/file.ts";
import type { TokenKeeper } from "../../src/tokens/keeper.ts";
import { makeToken, type Token, type TokenWish } from "../../src/tokens/token.ts";

/** Nobody has made one. */
export function noTokens(): TokenKeeper {
  return {
    current: () => [],
    isEmpty: () => true,
    find: () => undefined,
    use() {},
    watch: (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
  };
}

/** Makes one in this folder. @returns what is shown once, and the token */
export async function giveToken(
  folder: string,
  wish: Partial<TokenWish> = {},
): Promise<{ secret: string; token: Token }> {
  const made = makeToken({ name: "test", scopes: ["read"], ...wish }, Date.now());
  await changeTokens(folder, (tokens) => [[...tokens, made.token], undefined]);
  return made;
}

export async function takeToken(folder: string, { id }: Token): Promise<void> {
  await changeTokens(folder, (tokens) => [tokens.filter((one) => one.id !== id), undefined]);
}
