/**
 * Takes secrets out of text. The PetTracer token stands in a URL, so it can turn up in any library's error message;
 * rather than to trust each place that logs, the text is searched for the secrets themselves on its way out.
 */

export interface Scrubber {
  /** From now on this text is replaced. Texts under four characters would hit innocent words, and are not. */
  add(secret: string): void;
  scrub(text: string): string;
}

const MASK = "***";
const SHORTEST = 4;
/** Enough for the tokens of many accounts; the oldest go first, they have expired. */
const MOST = 500;
const TOKEN_IN_URL = /([?&]access_token=)[^&\s"'\\]+/gi;
/** Up to the last @ before the path: a password may hold one. */
const CREDENTIALS_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s"]*@/gi;

export function createScrubber(): Scrubber {
  const forms = new Set<string>();
  return {
    add(secret) {
      if (secret.length < SHORTEST) return;
      for (const form of writtenForms(secret)) forms.add(form);
      for (const oldest of forms) {
        if (forms.size <= MOST) break;
        forms.delete(oldest);
      }
    },
    scrub(text) {
      let result = text.replace(TOKEN_IN_URL, `$1${MASK}`).replace(CREDENTIALS_IN_URL, `$1${MASK}@`);
      for (const form of forms) if (result.includes(form)) result = result.replaceAll(form, MASK);
      return result;
    },
  };
}

/** As it is, inside JSON, inside JSON inside JSON (a frame in a log line), and in a URL; the longest first. */
function writtenForms(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  const forms = [secret, inJson, JSON.stringify(inJson).slice(1, -1), encodeURIComponent(secret), encodeURI(secret)];
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}
