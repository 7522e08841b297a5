/**
 * What `--help` says of each command, as a manual page would. Descriptions are broken into lines as wide as the
 * terminal; the rest is not.
 */

export interface CommandHelp {
  /** In the list of commands. */
  readonly summary: string;
  readonly description: string;
  /** Behind the options. */
  readonly after: string;
}

function paragraphs(...texts: readonly string[]): string {
  return texts.map((text) => text.trim().replace(/\s+/g, " ")).join("\n\n");
}

const ENVIRONMENT = `
Environment:
  PAWLINE_CONFIG               the configuration file, where --config names none
  PAWLINE_<SECTION>_<KEY>      a value, such as PAWLINE_MQTT_URL for mqtt.url;
                               it wins over the file
  PAWLINE_<SECTION>_<KEY>_FILE a file in which that value stands, for secrets
  "pawline config" lists the name of each value's variable.`;

const FILES = `
Files (the first one that is found is the configuration):
  ./pawline.yaml, /config/pawline.yaml
  /data/options.json           the options of the Home Assistant app
  ./data                       what has to survive a restart, unless data_dir
                               names another folder`;

/** Sections in the order in which manual pages have them. */
function after(sections: { readonly more?: string; readonly examples: string; readonly exitCodes: string }): string {
  const { more, examples, exitCodes } = sections;
  const own = [`\nExamples:\n${examples}`, `\nExit codes:\n${exitCodes}`];
  return [...(more === undefined ? [] : [`\n${more}`]), ENVIRONMENT, FILES, ...own].join("\n");
}

const OFFLINE_EXITS = `\
  0  all went well
  2  wrong usage or configuration`;

export const PROGRAM_HELP = {
  description: paragraphs(
    "Brings live pet trackers (PetTracer) into Home Assistant.",
    `Without a command it runs as a daemon: "pawline" is "pawline run". Data goes to standard output, logs and progress
     to standard error.`,
  ),
  after: after({
    examples: `\
  pawline demo                 three cats, without account or configuration
  pawline check                does my configuration work?
  pawline                      run until stopped
  pawline track --help         all about one command`,
    exitCodes: `\
  0  all went well
  1  something unexpected
  2  wrong usage or configuration
  3  a login was refused, or a right is missing
  4  something could not be reached in time`,
  }),
} as const;

export const RUN_HELP: CommandHelp = {
  summary: "the daemon: from PetTracer to Home Assistant, until it is stopped",
  description: paragraphs(
    `The daemon: brings all that PetTracer says to Home Assistant, and carries out what is asked for there, until it is
     stopped. This is what "pawline" does without a command.`,
    `It does not end for a refused login or a service that cannot be reached: it says so, and tries again.`,
  ),
  after: after({
    more: `\
Signals:
  SIGTERM, SIGINT  says "offline" to Home Assistant and ends, within 5 s;
                   a second one ends at once
  SIGHUP           reads the configuration again; one with errors is refused,
                   and the old one stays in force`,
    examples: `\
  pawline run
  pawline run --config /etc/pawline.yaml --log-level debug
  PAWLINE_MQTT_PASSWORD_FILE=/run/secrets/mqtt pawline run`,
    exitCodes: `\
  0  stopped by a signal
  1  stopped by a second signal, or something unexpected
  2  wrong usage or configuration`,
  }),
};

export const DEMO_HELP: CommandHelp = {
  summary: "the daemon against a simulated PetTracer cloud and an embedded broker",
  description: paragraphs(
    `The daemon against a simulated PetTracer cloud and an MQTT broker, both inside this program and on this computer
     alone: three cats that walk about, come home, charge and obey commands. No account is needed, and no configuration
     is read.`,
    "It says where to look, and writes each update as a line, until it is stopped.",
  ),
  // Nothing of the environment and of files: it reads none.
  after: `
Environment and files:
  none; what it keeps is in a temporary folder, and goes with it

Examples:
  pawline demo
  pawline demo --port 0        on any port that is free
  mosquitto_sub -p 18830 -v -t '#'
  mosquitto_pub -p 18830 -t pawline/pettracer_14701/light/set -m ON

Exit codes:
  0  stopped by a signal
  2  wrong usage`,
};

export const CHECK_HELP: CommandHelp = {
  summary: "try each part and say what is wrong, with the remedy",
  description: paragraphs(
    `Tries each part, one after the other, and prints a line for each: the configuration, the login at PetTracer, the
     devices, the live stream (until its first message, 10 s at most), the broker, and the rights there. ✓ works, ✗ does
     not, • is good to know. Nothing that it does is seen in Home Assistant.`,
    `With --commands, it switches the light of one collar on and off, to see whether commands arrive and which off_code
     is the right one. It asks before it sends anything.`,
  ),
  after: after({
    examples: `\
  pawline check
  pawline check --config /etc/pawline.yaml
  pawline check --commands Oreo`,
    exitCodes: `\
  0  all parts work
  2  wrong usage or configuration
  3  a login was refused, or a right is missing
  4  a part could not be reached, or the collar did not take a command
  Of several failures, the first one counts.`,
  }),
};

export const DEVICES_HELP: CommandHelp = {
  summary: "the account's devices as a table",
  description: paragraphs(
    `The collars and home stations of the accounts, as PetTracer knows them at this moment: as a table for people, or as
     JSON for programs.`,
    "With --watch it goes on, with a line for each change, until it is stopped.",
  ),
  after: after({
    examples: `\
  pawline devices
  pawline devices --json > devices.json
  pawline devices --watch --json`,
    exitCodes: `\
  0  the devices are listed
  2  wrong usage or configuration
  3  PetTracer refused the login
  4  PetTracer could not be reached`,
  }),
};

export const CONFIG_HELP: CommandHelp = {
  summary: "the configuration in force, and where each value comes from",
  description: paragraphs(
    `The configuration in force: each key with its value, where that comes from (a place in the file, a variable, an
     option, or the default), and the name of its variable. Passwords and tokens read ***.`,
    "With --schema it prints the JSON Schema of the configuration file instead, for editors that check files by one.",
  ),
  after: after({
    examples: `\
  pawline config
  pawline config --schema > pawline.schema.json`,
    exitCodes: OFFLINE_EXITS,
  }),
};

export const TRACK_HELP: CommandHelp = {
  summary: "a collar's stored positions as GPX, GeoJSON or CSV",
  description: paragraphs(
    `The positions of one collar, as a document for maps and tables: those that Pawline has kept while it ran
     (track.retention in the configuration), and for all other times those that PetTracer keeps. Where everything is
     there already, PetTracer is not asked, and need not be reached.`,
    `<device> is the collar's number (14758), its name in topics (pettracer_14758) or the pet's name (Oreo), in
     capitals or not. "pawline devices" lists them.`,
    `The document goes to standard output, or to the file that --output names. What is missing is fetched a day at a
     time; on a terminal, a bar shows how far a span of more than two days has come.`,
  ),
  after: after({
    more: `\
Times:
  2026-06-01              when that day begins, by this computer's clock
  2026-06-01T18:30        by this computer's clock; seconds may follow
  2026-06-01T18:30+02:00  by the clock of that time zone; Z stands for UTC
  90m, 24h, 7d            so long ago

Formats:
  gpx                     GPX 1.1, with the accuracy in its extensions
  geojson                 a point for each position, with measured_at,
                          accuracy and satellites
  csv                     measured_at,latitude,longitude,accuracy,satellites

Accuracies are metres. A span without positions makes an empty document, and a
sentence on standard error.`,
    examples: `\
  pawline track Oreo > oreo.gpx
  pawline track Oreo --from 7d --output week.geojson
  pawline track 14758 --from 2026-06-01 --to 2026-06-08 --output june.csv`,
    exitCodes: `\
  0  the document is written
  2  wrong usage or configuration, or there is no such collar
  3  PetTracer refused the login
  4  PetTracer could not be reached`,
  }),
};

const TOKEN_EXITS = `\
  0  all went well
  2  wrong usage or configuration, or data_dir cannot be written to`;

export const TOKEN_HELP: CommandHelp = {
  summary: "who may use the live API: make, list and revoke tokens",
  description: paragraphs(
    `Tokens for the live page and the live API (section live of the configuration). Programs send theirs with each
     request, people show theirs once in the browser. Home Assistant's sidebar needs none.`,
    `As long as there is no token, this computer needs none either, and live.host may be no address that others can
     reach. A Pawline that runs takes up each change by itself, within two seconds.`,
  ),
  after: after({
    more: `\
Kept are hashes alone, in tokens.json in the folder data_dir.`,
    examples: `\
  pawline token create --name tablet
  pawline token create --name script --scope control --device Oreo
  pawline token list
  pawline token revoke tablet`,
    exitCodes: TOKEN_EXITS,
  }),
};

export const TOKEN_CREATE_HELP: CommandHelp = {
  summary: "make a token, and show it once",
  description: paragraphs(
    `Makes a token and prints it on standard output. It is shown this once: nobody can find it out later, and whoever has
     lost it makes another one.`,
    `--scope read lets look; --scope control lets send commands, too. With --device it is for these devices alone: a
     pet's name, a number, or the device's name in topics (pettracer_14758).`,
  ),
  after: after({
    examples: `\
  pawline token create --name tablet
  pawline token create --name door --scope control --device Oreo --device Miso
  pawline token create --name backup --json`,
    exitCodes: TOKEN_EXITS,
  }),
};

export const TOKEN_LIST_HELP: CommandHelp = {
  summary: "which tokens there are",
  description: paragraphs(
    `The tokens: what each is called, what it may do, for which devices it is, when it was made, and when it was used
     last, to the hour. The tokens themselves are not kept, and cannot be shown.`,
  ),
  after: after({
    examples: `\
  pawline token list
  pawline token list --json`,
    exitCodes: OFFLINE_EXITS,
  }),
};

export const TOKEN_REVOKE_HELP: CommandHelp = {
  summary: "take a token back",
  description: paragraphs(
    `Takes a token back, by its name or its id: within two seconds Pawline refuses it, ends the sessions that it has
     opened, and closes its WebSockets.`,
  ),
  after: after({
    examples: `\
  pawline token revoke tablet
  pawline token revoke 1f9c07ae`,
    exitCodes: TOKEN_EXITS,
  }),
};

export const CLEANUP_HELP: CommandHelp = {
  summary: "remove from the broker everything that was ever published",
  description: paragraphs(
    `Removes everything that Pawline has ever published at the configured broker: the discovery messages by which Home
     Assistant knows the devices, and all topics under mqtt.base_topic. Topics of other programs stay.`,
    `Stop Pawline first. The topics are listed, and nothing is removed before you have said yes. Home Assistant then
     forgets the devices, and what you have set for their entities. The next "pawline run" publishes everything anew.`,
  ),
  after: after({
    more: `\
What was published with another mqtt.base_topic or mqtt.discovery.prefix is
found with a configuration that has the same ones.`,
    examples: `\
  pawline cleanup
  pawline cleanup --yes   without a question, even while Pawline is running`,
    exitCodes: `\
  0  removed, or nothing to remove, or you have said no
  1  something is still there, and is named
  2  wrong usage or configuration, nobody to ask, or Pawline is running
  3  the broker refused the login
  4  the broker could not be reached`,
  }),
};

export const DIAGNOSTICS_HELP: CommandHelp = {
  summary: "a report for a bug report, with nothing personal in it",
  description: paragraphs(
    `A report in JSON for a bug report: versions, the configuration, which parts work, counters, and what is known of
     each device. For it, Pawline logs in and lists the devices once, opens the live stream for 10 s at most, and tries
     the broker.`,
    `No password, token, user name, e-mail address, host, coordinate, Wi-Fi name, pet's name or device number is in it:
     values that could tell whose they are read ***, and devices have made-up names, the same ones in each report of
     this installation. Read it before you publish it all the same.`,
  ),
  after: after({
    examples: `\
  pawline diagnostics
  pawline diagnostics --output report.json`,
    exitCodes: `\
  0  all parts work
  2  wrong usage or configuration; only then there is no report
  3  a login was refused
  4  a part could not be reached`,
  }),
};
