/** Which cats the list shows, and in which order. */
import type { ApiDevice } from "../../publishers/live/api/schema.ts";

export interface AccountName {
  /** Its name in the configuration. */
  readonly source: string;
  readonly name: string;
}

export interface Choice {
  /** An account's name in the configuration; undefined for all. */
  readonly source: string | undefined;
  /** What the name is to hold. */
  readonly search: string;
}

type Devices = ReadonlyMap<string, ApiDevice>;

/** In the order of the configuration. */
export function accountsOf(devices: Devices): AccountName[] {
  return [...devices.values()]
    .filter(({ kind }) => kind === "account")
    .map(({ accounts, name, id }) => ({ source: accounts[0] ?? id, name }));
}

/** By name, as the reader's language sorts them. */
export function catsOf(devices: Devices, locale: string): ApiDevice[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  return [...devices.values()]
    .filter(({ kind }) => kind === "collar")
    .toSorted((a, b) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
}

export interface Group {
  /** Two accounts may have the same name, and are two all the same. */
  readonly key: string;
  /** undefined where one heading for all would say nothing. */
  readonly heading: string | undefined;
  readonly devices: readonly ApiDevice[];
}

/** Those that were chosen; by account where all of several are shown. A cat of two accounts stands under the first. */
export function groupsOf(
  cats: readonly ApiDevice[],
  accounts: readonly AccountName[],
  { source, search }: Choice,
): Group[] {
  const wanted = search.trim().toLocaleLowerCase();
  const found = cats.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  if (accounts.length < 2) return [{ ...REST, devices: found }];
  if (source !== undefined) {
    return [{ ...REST, devices: found.filter((cat) => cat.accounts.includes(source)) }];
  }
  const firstOf = (cat: ApiDevice): string | undefined =>
    accounts.find((account) => cat.accounts.includes(account.source))?.source;
  const known = accounts.map((account) => ({
    key: account.source,
    heading: account.name,
    devices: found.filter((cat) => firstOf(cat) === account.source),
  }));
  return [...known, { ...REST, devices: found.filter((cat) => firstOf(cat) === undefined) }];
}

const REST = { key: "", heading: undefined };
