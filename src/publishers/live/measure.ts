/** What `/metrics` tells: what was counted, and how things are at this moment. No label tells whose it is. */
import { monotonicMs } from "../../lib/clock.ts";
import type { Metrics, Usage } from "../../lib/metrics.ts";
import { accountPosition } from "../../model/account.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { Account, Bridge, Component, State } from "../../model/device.ts";
import type { LiveCounts } from "./counts.ts";
import type { EventLoopWatch } from "./event-loop.ts";
import type { Family, Sample } from "./exposition.ts";

interface Measured {
  readonly state: State;
  readonly metrics: Metrics<CounterTable>;
  readonly usage: (() => Usage) | undefined;
  readonly eventLoop: EventLoopWatch;
  readonly counts: LiveCounts;
}

export function familiesOf({ state, metrics, usage, eventLoop, counts }: Measured): Family[] {
  const bridge = state.get("bridge");
  return [
    ...(bridge?.kind === "bridge" ? aboutProgram(bridge) : []),
    ...aboutAccounts(accountsIn(state)),
    aboutDevices(state),
    ...counted(metrics, new Set(accountsIn(state).map(({ source }) => String(accountPosition(source))))),
    ...aboutApi(counts),
    ...aboutEventLoop(eventLoop),
    ...(usage ? aboutProcess(usage()) : []),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

function accountsIn(state: State): Account[] {
  return [...state.values()].filter((entry) => entry.kind === "account");
}

function aboutProgram({ version, startedAt, components }: Bridge): Family[] {
  const uptimeS = Math.max(0, Date.now() - startedAt) / 1_000;
  const of = (wanted: Component["role"]): Component[] => components.filter(({ role }) => role === wanted);
  return [
    gauge("pawline_info", "Always 1; the label is Pawline's version.", [{ labels: { version }, value: 1 }]),
    gauge("pawline_uptime_seconds", "Time since Pawline was started.", [{ value: uptimeS }]),
    gauge(
      "pawline_source_state",
      "1 for the state that an account's live stream is in, 0 for the others.",
      of("source").flatMap((one) => statesOf(one, { account: String(accountPosition(one.name)) })),
    ),
    gauge(
      "pawline_publisher_state",
      "1 for the state that a publisher is in, 0 for the others.",
      of("publisher").flatMap((one) => statesOf(one, { publisher: one.name })),
    ),
  ];
}

const STATES: readonly Component["state"][] = ["running", "starting", "waiting", "parked"];

function statesOf({ state: current }: Component, labels: Readonly<Record<string, string>>): Sample[] {
  return STATES.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));
}

function aboutAccounts(accounts: readonly Account[]): Family[] {
  const each = (value: (account: Account) => boolean): Sample[] =>
    accounts.map((account) => ({
      labels: { account: String(accountPosition(account.source)) },
      value: value(account) ? 1 : 0,
    }));
  return [
    gauge("pawline_accounts", "Accounts in the configuration.", [{ value: accounts.length }]),
    gauge(
      "pawline_account_listed",
      "1 when the account has listed its devices since the start, else 0.",
      each(({ listed }) => listed),
    ),
    gauge(
      "pawline_account_reachable",
      "1 while the account was heard of within five minutes, else 0.",
      each(({ reachable }) => reachable),
    ),
  ];
}

function aboutDevices(state: State): Family {
  const count = (kind: "collar" | "homeStation"): number =>
    [...state.values()].filter((entry) => entry.kind === kind).length;
  return gauge("pawline_devices", "Devices of all accounts, by kind.", [
    { labels: { kind: "collar" }, value: count("collar") },
    { labels: { kind: "home_station" }, value: count("homeStation") },
  ]);
}

/** @param accounts those that there are: an age of one that has left would only grow */
function counted(metrics: Metrics<CounterTable>, accounts: ReadonlySet<string>): Family[] {
  const now = monotonicMs();
  return metrics.families().map(({ name, type, help, series }): Family => {
    const samples = series.map(({ labels, cell }) => ({ labels, value: cell.value }));
    if (type === "counter") return { name, type, help, samples };
    const known = samples.filter(({ labels, value }) => !Number.isNaN(value) && accounts.has(labels.account ?? ""));
    const ages = known.map(({ labels, value }) => ({ labels, value: (now - value) / 1_000 }));
    return gauge(name, help, ages);
  });
}

function aboutApi(counts: LiveCounts): Family[] {
  const counter = (name: string, help: string, samples: readonly Sample[]): Family => {
    return { name, type: "counter", help, samples };
  };
  return [
    gauge("pawline_live_connections", "Connections to the live API that are open, HTTP and WebSocket.", [
      { value: counts.openConnections },
    ]),
    gauge("pawline_live_websockets", "WebSockets that are open.", [{ value: counts.openSockets }]),
    gauge("pawline_live_subscriptions", "Subscriptions on all WebSockets.", [{ value: counts.subscriptions }]),
    counter("pawline_live_refused_connections_total", "Connections that were too many.", [
      { value: counts.refusedConnections },
    ]),
    counter("pawline_live_requests_total", "Requests to the live API, by what became of them.", [
      { labels: { outcome: "answered" }, value: counts.answered },
      { labels: { outcome: "refused" }, value: counts.refused },
      { labels: { outcome: "rate_limited" }, value: counts.rateLimited },
      { labels: { outcome: "malformed" }, value: counts.malformed },
    ]),
    counter("pawline_live_messages_total", "Messages on WebSockets.", [
      { labels: { direction: "in" }, value: counts.messagesIn },
      { labels: { direction: "out" }, value: counts.messagesOut },
    ]),
    counter(
      "pawline_live_replaced_messages_total",
      "Messages that a newer one replaced before a slow reader took them.",
      [{ value: counts.dropped }],
    ),
    counter("pawline_live_slow_readers_total", "WebSockets that were closed because nobody read them.", [
      { value: counts.slowReaders },
    ]),
  ];
}

function aboutEventLoop(eventLoop: EventLoopWatch): Family[] {
  const delay = eventLoop.take();
  if (delay === undefined) return [];
  const since = "since the last time this was read.";
  return [
    gauge("pawline_event_loop_delay_mean_seconds", `Mean delay of the event loop ${since}`, [{ value: delay.mean }]),
    gauge("pawline_event_loop_delay_p99_seconds", `99th percentile of that delay ${since}`, [{ value: delay.p99 }]),
    gauge("pawline_event_loop_delay_max_seconds", `Longest delay of the event loop ${since}`, [{ value: delay.max }]),
  ];
}

/** By the names that every program has for them. */
function aboutProcess({ residentBytes, cpuS }: Usage): Family[] {
  return [
    gauge("process_resident_memory_bytes", "Memory that the program has, without what is swapped out.", [
      { value: residentBytes },
    ]),
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      help: "Processor time that the program has used.",
      samples: [{ value: cpuS }],
    },
  ];
}
