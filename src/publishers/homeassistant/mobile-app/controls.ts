/**
 * The template helpers of all pets: made once, mended when an entity that they follow has another id, made again when
 * somebody deletes them, and taken away when they are not wanted any more.
 */

import type { View } from "../../../entities/entity.ts";
import { deviceName } from "../../../entities/name.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";
import { CallRefused } from "../connection.ts";
import { listEntities, type RegistryEntity } from "../registry.ts";
import { bodyOf, type Control, controlsOf } from "./control-bodies.ts";
import type { KeptControl } from "./kept.ts";
import { sayOnce } from "./memory.ts";
import type { Pet } from "./pet.ts";
import type { RouteOptions } from "./route-run.ts";
import { sensorId } from "./sensors.ts";
import { changeTemplate, createTemplate, readTemplate, reloadEntry } from "./template-entries.ts";
import { inTurn } from "./turn.ts";

interface ControlsOptions extends RouteOptions {
  readonly view: View;
}

export interface Controls {
  /** Whether there are to be any, and the token may make them. */
  readonly isOn: boolean;
  /** Calls back when helpers may have to be mended. @throws CallRefused, RecoverableError */
  listen(onChange: () => void): Promise<void>;
  /** Whether other controls are wanted for this collar than when it was last looked after. */
  isNews(collar: Collar): boolean;
  /** Makes, mends and removes what has to be. @throws RecoverableError */
  lookAfter(petOf: (device: string) => Pet | undefined, signal: AbortSignal): Promise<void>;
  /** Removes all helpers of a pet. @throws as `lookAfter` */
  remove(device: string): Promise<void>;
}

const registryEvent = z.looseObject({ data: z.looseObject({ action: z.string(), entity_id: z.string() }) });

export function createControls(options: ControlsOptions): Controls {
  return new ControlKeeper(options);
}

class ControlKeeper implements Controls {
  readonly isOn: boolean;
  readonly #options: ControlsOptions;
  /** The wanted controls of each collar, as they were when they were last looked after. */
  readonly #wanted = new Map<string, string>();
  /** The registration that each collar had then. */
  readonly #seen = new Map<string, Pet | undefined>();
  /** Entries of templates that are not ours. */
  readonly #foreign = new Set<string>();
  /** Helpers that were put on their device again. */
  readonly #tied = new Set<string>();
  #isDirty = true;

  constructor(options: ControlsOptions) {
    this.#options = options;
    this.isOn = options.controls && options.session.user.isAdmin;
  }

  async listen(onChange: () => void): Promise<void> {
    const { session, controls } = this.#options;
    const changed = (): void => {
      this.#isDirty = true;
      onChange();
    };
    if (controls && !this.isOn)
      this.#say(
        "home_assistant.controls has no effect: only an administrator's token may make template helpers. Messages to the pet control it all the same.",
      );
    session.onEntriesChanged(changed);
    if (!this.isOn) return;
    const command = { type: "subscribe_events", event_type: "entity_registry_updated" };
    await session.ha.subscribe(command, registryEvent, ({ data: { action } }) => {
      if (action === "update" || action === "remove") changed();
    });
  }

  isNews(collar: Collar): boolean {
    return this.isOn && this.#wanted.get(collar.key) !== this.#signature(collar);
  }

  #controlsOf(collar: Collar): Control[] {
    const { view, exclude } = this.#options;
    return controlsOf(collar, view, exclude);
  }

  #signature(collar: Collar): string {
    return JSON.stringify(this.#controlsOf(collar));
  }

  async lookAfter(petOf: (device: string) => Pet | undefined, signal: AbortSignal): Promise<void> {
    const { kept, feed, memory } = this.#options;
    if (!this.isOn) return this.#removeAll();
    const collars = kept.devices().flatMap((device) => {
      const collar = feed.state.get(device);
      return collar?.kind === "collar" ? [collar] : [];
    });
    const all = this.#isDirty;
    this.#isDirty = false;
    for (const collar of collars) {
      const pet = petOf(collar.key);
      if (signal.aborted || !(all || this.isNews(collar) || this.#seen.get(collar.key) !== pet)) continue;
      this.#seen.set(collar.key, pet);
      this.#wanted.set(collar.key, this.#signature(collar));
      if (pet?.isLive) await inTurn(() => this.#lookAfterPet(collar, pet));
      // Helpers outlive their device: of a pet that the user has removed they would be left over.
      else if (memory.removed.has(collar.key)) await this.remove(collar.key);
    }
  }

  async #removeAll(): Promise<void> {
    const { kept, session, controls } = this.#options;
    if (controls) return;
    for (const device of kept.devices()) {
      const count = Object.keys(kept.get(device)?.controls ?? {}).length;
      if (count > 0 && session.user.isAdmin) await this.remove(device);
      else if (count > 0)
        this.#say(
          "template helpers that control the pets are left over: delete them under Settings > Devices & services > Helpers, since only an administrator's token may",
        );
    }
  }

  async remove(device: string): Promise<void> {
    const { kept, session } = this.#options;
    for (const [key, { entry }] of Object.entries(kept.get(device)?.controls ?? {})) {
      await session.rest.remove(`/config/config_entries/entry/${entry}`);
      this.#keep(device, key, undefined);
    }
  }

  #keep(device: string, key: string, control: KeptControl | undefined): void {
    const { kept } = this.#options;
    const { [key]: _, ...others } = kept.get(device)?.controls ?? {};
    kept.change(device, { controls: control === undefined ? others : { ...others, [key]: control } });
  }

  async #lookAfterPet(collar: Collar, pet: Pet): Promise<void> {
    const { session, kept } = this.#options;
    const controls = this.#controlsOf(collar);
    // Another run may have made some meanwhile.
    kept.reload();
    try {
      const entities = await listEntities(session.ha);
      await this.#adopt(collar, controls, pet, entities);
      await this.#dropUnwanted(collar, controls);
      const fresh: Control[] = [];
      for (const control of controls) if (await this.#ensure(collar, control, pet, entities)) fresh.push(control);
      if (fresh.length > 0) await this.#nameEntities(collar, fresh);
    } catch (error) {
      if (!(error instanceof CallRefused)) throw error;
      this.#say(`the template helpers of ${deviceName(collar)} could not be made or mended: ${error.message}`);
    }
  }

  /** What an earlier run made and did not come to note; and what there is twice. */
  async #adopt(
    collar: Collar,
    controls: readonly Control[],
    pet: Pet,
    entities: readonly RegistryEntity[],
  ): Promise<void> {
    const { session, kept } = this.#options;
    for (const entry of this.#candidates(controls, pet, entities)) {
      const found = await readTemplate(session.rest, entry);
      if (found?.device !== collar.key) {
        this.#foreign.add(entry);
        continue;
      }
      const own = kept.get(collar.key)?.controls[found.command];
      if (own !== undefined && session.entries.has(own.entry))
        await session.rest.remove(`/config/config_entries/entry/${entry}`);
      else this.#keep(collar.key, found.command, { entry, title: "", made: "", isNamed: false });
    }
  }

  #candidates(controls: readonly Control[], { deviceId }: Pet, entities: readonly RegistryEntity[]): string[] {
    const { session, kept } = this.#options;
    const noted = new Set(
      kept.devices().flatMap((one) => Object.values(kept.get(one)?.controls ?? {}).map(({ entry }) => entry)),
    );
    const onDevice = entities.flatMap(({ platform, device_id, config_entry_id }) => {
      return platform === "template" && device_id === deviceId && config_entry_id ? [config_entry_id] : [];
    });
    const titled = [...session.entries.values()].filter(({ domain, title }) => {
      return domain === "template" && controls.some((control) => control.title === title);
    });
    const all = new Set([...onDevice, ...titled.map(({ id }) => id)]);
    return [...all].filter((id) => session.entries.has(id) && !noted.has(id) && !this.#foreign.has(id));
  }

  async #dropUnwanted(collar: Collar, controls: readonly Control[]): Promise<void> {
    const { kept, session } = this.#options;
    for (const [key, { entry }] of Object.entries(kept.get(collar.key)?.controls ?? {})) {
      if (controls.some((control) => control.key === key)) continue;
      await session.rest.remove(`/config/config_entries/entry/${entry}`);
      this.#keep(collar.key, key, undefined);
    }
  }

  /** Answers whether its entity has still to get its name. */
  async #ensure(collar: Collar, control: Control, pet: Pet, entities: readonly RegistryEntity[]): Promise<boolean> {
    const { session, kept } = this.#options;
    const { key, platform, word, title } = control;
    const follows = control.follows.map((one) => this.#entityOf(collar, one, entities)).find((id) => id !== undefined);
    // A select or a switch has nothing to show without it.
    if (follows === undefined && platform !== "button") return false;
    const body = bodyOf(control, collar.key, pet.deviceId, follows);
    const made = JSON.stringify(body);
    const own = kept.get(collar.key)?.controls[key];
    const known = own && session.entries.get(own.entry);
    if (own === undefined || known === undefined) {
      const entry = await createTemplate(session.rest, platform, { name: word, ...body });
      this.#keep(collar.key, key, { entry, title: word, made, isNamed: false });
      return true;
    }
    if (known.isDisabled) return false;
    if (own.made !== made) await changeTemplate(session.rest, own.entry, body);
    if (this.#isLoose(own.entry, pet, entities)) await reloadEntry(session.rest, own.entry);
    // A title of the user's own stays.
    const isOurs = own.title !== title && own.title === known.title && own.isNamed;
    if (isOurs) await this.#call({ type: "config_entries/update", entry_id: own.entry, title });
    if (own.made !== made || isOurs) this.#keep(collar.key, key, { ...own, made, ...(isOurs && { title }) });
    return !own.isNamed;
  }

  /** A helper whose device was deleted stands alone, until it is set up again. Tried once, or it could go on for ever. */
  #isLoose(entry: string, { deviceId }: Pet, entities: readonly RegistryEntity[]): boolean {
    const entity = entities.find(({ config_entry_id }) => config_entry_id === entry);
    const attempt = `${entry} ${deviceId}`;
    if (entity === undefined || entity.device_id === deviceId || this.#tied.has(attempt)) return false;
    this.#tied.add(attempt);
    return true;
  }

  /** The id of one of our sensors, which the user may have changed. */
  #entityOf({ key: device }: Collar, key: string, entities: readonly RegistryEntity[]): string | undefined {
    const { entry, webhook } = this.#options.kept.get(device) ?? {};
    const id = `${webhook}_${sensorId(device, key)}`;
    return entities.find(({ config_entry_id, unique_id }) => config_entry_id === entry && unique_id === id)?.entity_id;
  }

  /** The same names and icons as on the other route; the form has no place for them. */
  async #nameEntities(collar: Collar, fresh: readonly Control[]): Promise<void> {
    const { session, kept } = this.#options;
    const entities = await listEntities(session.ha);
    for (const { key, name, icon, title } of fresh) {
      const own = kept.get(collar.key)?.controls[key];
      const entity = own && entities.find(({ config_entry_id }) => config_entry_id === own.entry);
      if (own === undefined || entity === undefined) continue;
      const about = { name, ...(icon !== undefined && { icon }) };
      await this.#call({ type: "config/entity_registry/update", entity_id: entity.entity_id, ...about });
      await this.#call({ type: "config_entries/update", entry_id: own.entry, title });
      this.#keep(collar.key, key, { ...own, title, isNamed: true });
    }
  }

  async #call(command: { type: string; [key: string]: unknown }): Promise<void> {
    await this.#options.session.ha.call(command, z.unknown());
  }

  #say(sentence: string): void {
    const { memory, log } = this.#options;
    sayOnce(memory, log, sentence, "warn");
  }
}
