/** Who is asking, and what they may. */
import type { Scope } from "../../tokens/token.ts";

export interface Principal {
  /** Home Assistant's Ingress, a program or browser on this computer, a token, or a browser that has shown one. */
  readonly kind: "ingress" | "this_computer" | "token" | "session";
  /** Of the token, also of the one that a session was opened with. */
  readonly tokenId?: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The only devices that it may see, by id; all of them where it is left out. */
  readonly devices?: ReadonlySet<string>;
}

export function maySee({ devices }: Principal, device: string): boolean {
  return devices === undefined || devices.has(device);
}
