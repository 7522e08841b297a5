/** How the connection is: a word in the header, and a sentence with what to do where it is not there. */
import type { Texts } from "../texts/texts.ts";
import { element, setAttribute, setShown, setText } from "./dom.ts";

type Connection =
  | { readonly kind: "connecting" }
  /** For a token. */
  | { readonly kind: "waiting" }
  | { readonly kind: "open" }
  /** `time` is that of what is shown; undefined where nothing is. */
  | { readonly kind: "lost"; readonly time: string | undefined; readonly sentence: string | undefined }
  /** The server is another one than this page was made for. */
  | { readonly kind: "outdated" };

export interface Banner {
  /** For the header. */
  readonly sign: HTMLElement;
  readonly element: HTMLElement;
  readonly show: (connection: Connection) => void;
}

export function createBanner(
  { connection: texts }: Texts,
  actions: { readonly tryNow: () => void; readonly reload: () => void },
): Banner {
  const sign = element("p", { class: "connection" });
  const sentence = element("span");
  const button = element("button", { type: "button", class: "button", hidden: true });
  const status = element("p", { role: "status", id: "connection" }, sentence);
  const box = element("div", { class: "banner", hidden: true }, status, button);
  let act = (): void => {};
  button.addEventListener("click", () => act());
  return {
    sign,
    element: box,
    show(connection) {
      setText(sign, wordFor(connection, texts));
      setShown(sign, connection.kind !== "waiting");
      setAttribute(sign, "data-state", connection.kind);
      const said = sentenceOf(connection, texts);
      setShown(box, said !== "");
      setText(sentence, said);
      setText(button, connection.kind === "outdated" ? texts.reload : texts.tryNow);
      setShown(button, said !== "");
      act = connection.kind === "outdated" ? actions.reload : actions.tryNow;
    },
  };
}

function wordFor({ kind }: Connection, texts: Texts["connection"]): string {
  return kind === "connecting" ? texts.connecting : kind === "lost" ? texts.lost : texts.open;
}

function sentenceOf(connection: Connection, texts: Texts["connection"]): string {
  if (connection.kind === "outdated") return texts.outdated;
  if (connection.kind !== "lost") return "";
  if (connection.sentence !== undefined) return connection.sentence;
  return connection.time === undefined ? texts.neverReached : texts.lostSince({ time: connection.time });
}
