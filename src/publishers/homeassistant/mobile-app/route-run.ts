/**
 * The route mobile_app on one connection. Two things go on side by side: what changes is sent at once, and the
 * registrations are looked after, one at a time, whenever something may be wrong with them.
 */
import { allConfirmed, withChildren } from "../../../discovery/relations.ts";
import { settle } from "../../../discovery/settle.ts";
import type { View } from "../../../entities/entity.ts";
import { deviceName } from "../../../entities/name.ts";
import { createAlarm } from "../../../lib/alarm.ts";
import { aborted, within } from "../../../lib/clock.ts";
import { RecoverableError } from "../../../lib/errors.ts";
import type { Collar } from "../../../model/device.ts";
import type { Feed } from "../../publisher.ts";
import { CallRefused } from "../connection.ts";
import type { ConfigEntry, Session } from "../situation.ts";
import { type Controls, createControls } from "./controls.ts";
import { applyExclusion } from "./exclusion.ts";
import type { Kept, Registration } from "./kept.ts";
import { type MobileAppMemory, sayOnce } from "./memory.ts";
import type { MobileAppContext } from "./mobile-app.ts";
import { createOrders, type Orders } from "./orders.ts";
import { createPet, type Pet } from "./pet.ts";
import { Registrar } from "./registrar.ts";
import { aboutOf, refreshAbout } from "./registration.ts";
import { sensorsOf } from "./sensors.ts";
import { createTeller } from "./teller.ts";
import { askWebhook } from "./webhook.ts";

export interface RouteOptions extends MobileAppContext {
  readonly kept: Kept;
  readonly memory: MobileAppMemory;
  readonly feed: Feed;
  readonly session: Session;
}

/** A webhook that should listen and does not is asked again after this, ms. */
const AGAIN_MS = 5_000;
/** A step that is under way at the end is waited for so long, ms. */
const SEEN_THROUGH_MS = 3_000;

/** Publishes until the signal is aborted. @throws FatalError, RecoverableError */
export function runRoute(options: RouteOptions, signal: AbortSignal): Promise<void> {
  return new RouteRun(options, signal).run();
}

class RouteRun {
  readonly #options: RouteOptions;
  readonly #view: View;
  readonly #stop = new AbortController();
  readonly #ended: AbortSignal;
  readonly #pets = new Map<string, Pet>();
  /** Webhooks whose messages come in on this connection. */
  readonly #heard = new Set<string>();
  readonly #alarm = createAlarm();
  readonly #registrar: Registrar;
  readonly #orders: Orders;
  readonly #controls: Controls;
  readonly #tell: () => Promise<void>;
  readonly #failure = Promise.withResolvers<never>();
  /** Whether all registrations have been looked at once. */
  #isSettled = false;

  constructor(options: RouteOptions, signal: AbortSignal) {
    const { feed, session, log } = options;
    this.#options = options;
    this.#view = { state: feed.state, preferredPosition: options.preferredPosition };
    this.#ended = AbortSignal.any([signal, this.#stop.signal]);
    this.#failure.promise.catch(() => {});
    const fail = this.#failure.reject;
    this.#registrar = new Registrar(options, () => this.#alarm.within(AGAIN_MS));
    this.#orders = createOrders({ ha: session.ha, feed, view: this.#view, log, fail });
    this.#controls = createControls({ ...options, view: this.#view });
    this.#tell = createTeller({ ...options, petOf: (device) => this.#listenerOf(device) });
  }

  async run(): Promise<void> {
    const { session, feed, kept } = this.#options;
    try {
      await this.#settle();
      session.onEntriesChanged(() => this.#entriesChanged());
      feed.onRepublish(() => this.#republish(), this.#ended);
      await this.#controls.listen(() => this.#alarm.within(0));
      if (this.#controls.isOn) await this.#orders.listenToEvents();
      await this.#registrar.freePersons(kept.devices());
      const working = Promise.all([this.#follow(), this.#maintain()]);
      await Promise.race([working, this.#failure.promise, aborted(this.#ended)]);
      // What is under way is seen through: a registration behind the back of the next route would be there twice.
      await within(SEEN_THROUGH_MS, working, () => new RecoverableError("Home Assistant does not answer"));
    } catch (cause) {
      if (!(cause instanceof CallRefused)) throw cause;
      throw new RecoverableError(`Home Assistant refused a request (${cause.code})`, { cause });
    } finally {
      this.#stop.abort();
    }
  }

  async #settle(): Promise<void> {
    const { memory, feed } = this.#options;
    if (!memory.settled) await settle(feed, this.#ended);
    memory.settled = true;
  }

  async #follow(): Promise<void> {
    const { feed } = this.#options;
    for await (const { state, changed } of feed.changes(this.#ended)) {
      for (const key of withChildren(changed, state)) this.#touch(key);
      this.#inBackground(this.#tell());
    }
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#failure.reject(error));
  }

  #touch(key: string): void {
    const { feed, kept, version } = this.#options;
    const collar = feed.state.get(key);
    const pet = this.#pets.get(key);
    if (pet?.isLive) this.#inBackground(this.#send(pet));
    const isNews =
      collar?.kind === "collar"
        ? kept.get(key)?.about !== JSON.stringify(aboutOf(collar, version)) || this.#controls.isNews(collar)
        : // What is in no account any more shows when the others have been listed.
          kept.devices().some((device) => !feed.state.has(device));
    if (isNews) this.#alarm.within(0);
  }

  async #send(pet: Pet): Promise<void> {
    await pet.touch();
    if (!pet.isLive) this.#alarm.within(0);
  }

  /** A registration that is gone, disabled or set up again must not be taken for what it was. */
  #entriesChanged(): void {
    const { session, kept } = this.#options;
    for (const [device, pet] of this.#pets) {
      if (session.entries.get(kept.get(device)?.entry ?? "")?.state !== "loaded") pet.silence();
    }
    this.#alarm.within(0);
  }

  #republish(): void {
    const { memory } = this.#options;
    memory.removed.clear();
    for (const pet of this.#pets.values()) pet.silence();
    this.#alarm.within(0);
  }

  async #maintain(): Promise<void> {
    while (!this.#ended.aborted) {
      await this.#lookAfterAll();
      if (!this.#isSettled) this.#saySettled();
      this.#isSettled = true;
      await this.#tell();
      await this.#alarm.rung(this.#ended);
    }
  }

  #saySettled(): void {
    const count = [...this.#pets.values()].filter(({ isLive }) => isLive).length;
    this.#options.log.info(`${count} ${count === 1 ? "pet is" : "pets are"} in Home Assistant now`);
  }

  async #lookAfterAll(): Promise<void> {
    const { feed, kept } = this.#options;
    for (const collar of feed.state.values()) {
      if (this.#ended.aborted) return;
      if (collar.kind === "collar") await this.#lookAfter(collar);
    }
    for (const device of kept.devices()) if (feed.state.get(device)?.kind !== "collar") await this.#retire(device);
    await this.#controls.lookAfter((device) => this.#pets.get(device), this.#ended);
  }

  async #lookAfter(collar: Collar): Promise<void> {
    const { kept, session, version, memory } = this.#options;
    const own = await this.#registrar.registrationOf(collar);
    const entry = session.entries.get(own?.entry ?? "");
    if (own === undefined || entry === undefined) return this.#silence(collar.key);
    memory.seen.add(collar.key);
    if (!this.#isLoaded(collar, entry)) return this.#silence(collar.key);
    const known = this.#pets.get(collar.key);
    const isOpen = known?.isLive === true && known.webhook === own.webhook;
    const pet = isOpen ? known : await this.#open(collar, own);
    if (pet === undefined) return this.#alarm.within(AGAIN_MS);
    // Sensors first: their ids are made from the name that the pet was registered with.
    if (!isOpen) await pet.touch();
    if (pet.isLive) kept.change(collar.key, await refreshAbout({ collar, version, kept: own, session }));
  }

  #silence(device: string): void {
    this.#pets.get(device)?.silence();
    this.#pets.delete(device);
  }

  #isLoaded(collar: Collar, entry: ConfigEntry): boolean {
    const sentence = `${deviceName(collar)} is disabled in Home Assistant: nothing is sent until it is enabled`;
    if (entry.isDisabled) this.#say(sentence, "info");
    else this.#options.memory.said.delete(sentence);
    return !entry.isDisabled && entry.state === "loaded";
  }

  /** Undefined where its webhook does not listen. */
  async #open(collar: Collar, own: Registration): Promise<Pet | undefined> {
    const { session, kept, exclude } = this.#options;
    const { ha } = session;
    const { webhook } = own;
    const asked = await askWebhook(ha, webhook);
    if (asked === undefined) return undefined;
    const sensors = sensorsOf(collar, this.#view, exclude);
    const hidden = await applyExclusion({ ha, webhook, registered: asked, sensors, hidden: own.hidden });
    if (hidden.join() !== own.hidden.join()) kept.change(collar.key, { hidden });
    const pet = createPet({ ha, view: this.#view, exclude, device: collar.key, webhook, registered: asked });
    this.#pets.set(collar.key, pet);
    await this.#listen(collar, own);
    return pet;
  }

  async #listen(collar: Collar, { webhook, user }: Registration): Promise<void> {
    const { session } = this.#options;
    if (this.#heard.has(webhook)) return;
    if (user !== session.user.id) {
      const remedy = "delete it under Settings > Devices & services > Mobile App, and restart Pawline";
      const why = `${deviceName(collar)} was registered with another user's token, so messages to it do not arrive`;
      return this.#say(`${why}: use that one, or ${remedy}`, "warn");
    }
    this.#heard.add(webhook);
    await this.#orders.listen(collar.key, webhook, () => this.#pets.get(collar.key)?.webhook === webhook);
  }

  /** The account does not list it any more. */
  async #retire(device: string): Promise<void> {
    const { feed, kept, session, memory, log } = this.#options;
    const own = kept.get(device);
    if (own === undefined || !allConfirmed(feed.state)) return;
    const isThere = session.entries.has(own.entry ?? "");
    if (isThere && !session.user.isAdmin) return this.#retireSilently(device, own);
    await this.#controls.remove(device);
    if (isThere) await session.rest.remove(`/config/config_entries/entry/${own.entry}`);
    this.#silence(device);
    kept.drop(device);
    // Should it come back, it was not the user who removed it.
    memory.seen.delete(device);
    log.info(`${own.name} is in no account any more: removed from Home Assistant`);
  }

  /** What the token may not delete says at least that nothing is known of it any more. */
  async #retireSilently(device: string, { webhook, name }: Registration): Promise<void> {
    const { session, memory, exclude } = this.#options;
    const sentence = `${name} is in no account any more: delete it under Settings > Devices & services > Mobile App > ${name}`;
    if (memory.said.has(sentence)) return;
    const registered = await askWebhook(session.ha, webhook);
    if (registered)
      await createPet({ ha: session.ha, view: this.#view, exclude, device, webhook, registered }).retire();
    this.#silence(device);
    this.#say(sentence, "warn");
  }

  #listenerOf(device: string): Pet | "later" | undefined {
    const { kept, session } = this.#options;
    const pet = this.#pets.get(device);
    if (pet?.isLive) return pet;
    const entry = session.entries.get(kept.get(device)?.entry ?? "");
    return !this.#isSettled || (entry && !entry.isDisabled) ? "later" : undefined;
  }

  #say(sentence: string, level: "info" | "warn"): void {
    const { memory, log } = this.#options;
    sayOnce(memory, log, sentence, level);
  }
}
