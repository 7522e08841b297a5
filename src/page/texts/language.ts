/** Which of our languages the reader wants, and how that reader writes dates and numbers. */
import { DE } from "./de.ts";
import { EN } from "./en.ts";
import type { Language, Texts } from "./texts.ts";

export const TEXTS: Readonly<Record<Language, Texts>> = { en: EN, de: DE };

export interface Tongue {
  readonly language: Language;
  /** For dates and numbers: the reader's own variant of the language, such as `de-AT`. */
  readonly locale: string;
  readonly texts: Texts;
}

/** @param wishes the reader's languages, the dearest first (`navigator.languages`); English where none is ours */
export function tongueOf(wishes: readonly string[]): Tongue {
  const ours = wishes.find((wish) => languageOf(wish) !== undefined) ?? "en";
  const language = languageOf(ours) ?? "en";
  return { language, locale: isLocale(ours) ? ours : language, texts: TEXTS[language] };
}

function languageOf(wish: string): Language | undefined {
  const [tag = ""] = wish.toLowerCase().split("-");
  return tag === "de" || tag === "en" ? tag : undefined;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
