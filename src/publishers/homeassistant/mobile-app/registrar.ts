/** Sees to it that each pet is registered: once, and never against the user's will. */
import { deviceName } from "../../../entities/name.ts";
import { FatalError, RecoverableError } from "../../../lib/errors.ts";
import type { Collar } from "../../../model/device.ts";
import { listEntities } from "../registry.ts";
import { componentsOf } from "../situation.ts";
import { entryOfDevice, trackersOf } from "./entries.ts";
import type { Registration } from "./kept.ts";
import { sayOnce } from "./memory.ts";
import { freePersons, refuseTrap } from "./persons.ts";
import { register } from "./registration.ts";
import type { RouteOptions } from "./route-run.ts";
import { inTurn } from "./turn.ts";
import { askWebhook } from "./webhook.ts";

const NO_MOBILE_APPS =
  "Home Assistant takes no mobile apps: add `mobile_app:` (or `default_config:`) to its configuration.yaml and restart it";

export class Registrar {
  readonly #options: RouteOptions;
  readonly #again: () => void;

  /** @param again called where another look is needed in a while */
  constructor(options: RouteOptions, again: () => void) {
    this.#options = options;
    this.#again = again;
  }

  /** The pet's registration in Home Assistant, made if there is none; undefined where there is to be none. */
  async registrationOf(collar: Collar): Promise<Registration | undefined> {
    const { kept, memory } = this.#options;
    const device = collar.key;
    if (this.#isGone(device) && !(await inTurn(() => this.#renew(collar)))) return undefined;
    if (kept.get(device)?.entry === undefined && !(await this.#findEntry(collar))) return undefined;
    memory.removed.delete(device);
    return kept.get(device);
  }

  #isGone(device: string): boolean {
    const { kept, session } = this.#options;
    const own = kept.get(device);
    return own === undefined || (own.entry !== undefined && !session.entries.has(own.entry));
  }

  /** Whether there is a registration now. */
  async #renew(collar: Collar): Promise<boolean> {
    const { kept, memory, log } = this.#options;
    const device = collar.key;
    // Another run may have made one meanwhile.
    kept.reload();
    if (!this.#isGone(device)) return true;
    if (memory.seen.delete(device)) {
      memory.removed.add(device);
      log.info(`${deviceName(collar)} was removed in Home Assistant: it stays away until the next start or republish`);
    }
    return !memory.removed.has(device) && (await this.#register(collar));
  }

  async #register(collar: Collar): Promise<boolean> {
    const { kept, session, version, log } = this.#options;
    const components = await componentsOf(session.ha);
    // What is missing while it starts or stops is not gone.
    if (components === undefined) {
      this.#again();
      return false;
    }
    if (!components.has("mobile_app")) throw new RecoverableError(NO_MOBILE_APPS);
    if (!(await this.#mayRegister(collar))) return false;
    const { controls = {} } = kept.get(collar.key) ?? {};
    kept.set(collar.key, { ...(await register(collar, version, session)), controls });
    log.info(`${deviceName(collar)} was registered in Home Assistant's integration Mobile App`);
    await this.freePersons([collar.key]);
    return true;
  }

  /** What is registered already goes on; a new pet has to wait for another token. */
  async #mayRegister(collar: Collar): Promise<boolean> {
    const { kept, session, memory, log } = this.#options;
    try {
      await refuseTrap(session);
      return true;
    } catch (error) {
      if (!(error instanceof FatalError) || kept.devices().length === 0) throw error;
      sayOnce(memory, log, `${deviceName(collar)} is not registered in Home Assistant: ${error.message}`, "error");
      return false;
    }
  }

  /** Where an earlier run ended before it had found it. */
  async #findEntry(collar: Collar): Promise<boolean> {
    const { kept, session } = this.#options;
    const registered = await askWebhook(session.ha, kept.get(collar.key)?.webhook ?? "");
    const entry = registered && (await entryOfDevice(session.ha, registered.deviceId));
    if (entry !== undefined) kept.change(collar.key, { entry });
    else {
      // The next look finds it gone, and makes another one.
      kept.change(collar.key, { entry: "" });
      this.#again();
    }
    return entry !== undefined;
  }

  async freePersons(devices: readonly string[]): Promise<void> {
    const { session, feed, log } = this.#options;
    if (devices.length === 0) return;
    const trackers = trackersOf(await listEntities(session.ha), devices);
    const names = [...trackers].map(([id, device]) => {
      const entry = feed.state.get(device);
      return [id, entry?.kind === "collar" ? deviceName(entry) : device] as const;
    });
    await freePersons(session, new Map(names), log);
  }
}
