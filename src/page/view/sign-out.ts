/** For who has shown a token: the way out. Nothing of what was seen outlives it, since the page is loaded anew. */
import { isSignedIn, signOut } from "../live/requests.ts";
import type { Texts } from "../texts/texts.ts";
import { element, setShown } from "./dom.ts";

export interface SignOut {
  readonly element: HTMLElement;
  /** Shows itself where there is something to sign out of. */
  readonly look: () => Promise<void>;
}

export function createSignOut({ signIn: texts }: Texts): SignOut {
  const button = element("button", { type: "button", class: "button small", hidden: true }, texts.signOut);
  button.addEventListener("click", () => void leave());
  return {
    element: button,
    async look() {
      setShown(button, await isSignedIn());
    },
  };
}

async function leave(): Promise<void> {
  await signOut();
  location.reload();
}
