/** Asks for a token. It goes to the server once, for a cookie that no script can read, and is kept nowhere here. */
import { RequestFailed, signIn } from "../live/requests.ts";
import type { Texts } from "../texts/texts.ts";
import { element, setShown, setText } from "./dom.ts";

export interface SignIn {
  readonly element: HTMLElement;
  /** Shows the form until a token was taken. */
  readonly ask: () => Promise<void>;
}

export function createSignIn({ signIn: texts }: Texts): SignIn {
  const input = element("input", {
    type: "password",
    id: "token",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "token-explanation token-error",
  });
  const error = element("p", { class: "form-error", role: "alert", id: "token-error" });
  const submit = element("button", { type: "submit", class: "button primary" }, texts.submit);
  const form = element(
    "form",
    { class: "sign-in", hidden: true },
    element("h2", {}, texts.heading),
    element("p", { id: "token-explanation" }, texts.explanation),
    element("label", { for: "token" }, texts.token),
    input,
    error,
    submit,
  );
  let done = (): void => {};

  async function send(): Promise<void> {
    submit.disabled = true;
    try {
      await signIn(input.value.trim());
      setText(error, "");
      setShown(form, false);
      done();
    } catch (cause) {
      setText(error, (cause instanceof RequestFailed ? cause.sentence : undefined) ?? texts.failed);
      input.focus();
    } finally {
      input.value = "";
      submit.disabled = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  return {
    element: form,
    ask() {
      setShown(form, true);
      input.focus();
      return new Promise((resolve) => {
        done = resolve;
      });
    },
  };
}
