/** Loads configurations from texts, as the command line would from files. */
import { type ConfigSources, type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";

interface Given extends Partial<Pick<ConfigSources, "environment" | "flags">> {
  readonly text?: string;
  /** The file's name; `pawline.yaml` unless told. */
  readonly name?: string;
}

/** All that has no default. */
export const ACCOUNT = ["pettracer:", "  username: cat@example.com", "  password: tuna"].join("\n");
export const MINIMAL = `${ACCOUNT}\nmqtt:\n  url: mqtt://broker:1883\n`;

/** Loads the text as a file that `--config` names. */
export function load(given: Given, atEnd: AtEnd): LoadedConfig {
  const { text = MINIMAL, name = "pawline.yaml", environment = {}, flags = {} } = given;
  const file = temporaryFolder(atEnd).write(name, text);
  return loadConfig({ file, environment, flags });
}

/** The errors that loading gives, a line each, with the folder taken off the file's name. */
export function errorsOf(given: Given, atEnd: AtEnd): string[] {
  const folder = temporaryFolder(atEnd);
  const { text = MINIMAL, name = "pawline.yaml", environment = {}, flags = {} } = given;
  const file = folder.write(name, text);
  try {
    loadConfig({ file, environment, flags });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message.replaceAll(`${folder.path}/`, "").split("\n");
  }
  return [];
}
