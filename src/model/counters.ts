/** What the program counts of its work, under the names that Prometheus reads. No label tells whose it is. */

export const COUNTERS = {
  pawline_frames_total: {
    type: "counter",
    help: "Messages of the live stream.",
    labels: ["account"],
  },
  pawline_undecodable_frames_total: {
    type: "counter",
    help: "Messages of the live stream, or parts of them, that could not be read.",
    labels: ["account"],
  },
  pawline_last_frame_age_seconds: {
    type: "age",
    help: "Time since the last message of the live stream; missing before the first.",
    labels: ["account"],
  },
  pawline_reconnects_total: {
    type: "counter",
    help: "Connections to the cloud that ended or could not be opened, by cause.",
    labels: ["account", "cause"],
  },
  pawline_commands_total: {
    type: "counter",
    help: "Commands for collars by kind and outcome; one that is unconfirmed was accepted before.",
    labels: ["kind", "outcome"],
  },
  pawline_publishes_total: {
    type: "counter",
    help: "Messages that were published.",
    labels: ["publisher"],
  },
  pawline_events_total: {
    type: "counter",
    help: "What happened to pets and collars since the start, by type.",
    labels: ["type"],
  },
} as const;

export type CounterTable = typeof COUNTERS;
