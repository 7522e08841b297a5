/** What `--help` says beyond the options. Descriptions are broken into lines as wide as the terminal; the rest is not. */

function paragraphs(...texts: readonly string[]): string {
  return texts.map((text) => text.trim().replace(/\s+/g, " ")).join("\n\n");
}

export const TRACK_HELP = {
  description: paragraphs(
    "The positions that PetTracer keeps of one collar, as a document for maps and tables.",
    `<device> is the collar's number (14758), its name in topics (pettracer_14758) or the pet's name (Oreo), in
     capitals or not. "pawline devices" lists them.`,
    `The document goes to standard output, or to the file that --output names. The positions are fetched a day at a
     time; on a terminal, a bar shows how far a span of more than two days has come.`,
  ),
  after: `
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
sentence on standard error.

Examples:
  pawline track Oreo > oreo.gpx
  pawline track Oreo --from 7d --output week.geojson
  pawline track 14758 --from 2026-06-01 --to 2026-06-08 --output june.csv

Exit codes:
  0  the document is written
  2  wrong usage or configuration, or there is no such collar
  3  PetTracer refused the login
  4  PetTracer could not be reached`,
} as const;

export const CLEANUP_HELP = {
  description: paragraphs(
    `Removes everything that Pawline has ever published at the configured broker: the discovery messages by which Home
     Assistant knows the devices, and all topics under mqtt.base_topic. Topics of other programs stay.`,
    `Stop Pawline first. The topics are listed, and nothing is removed before you have said yes. Home Assistant then
     forgets the devices, and what you have set for their entities. The next "pawline run" publishes everything anew.`,
  ),
  after: `
What was published with another mqtt.base_topic or mqtt.discovery.prefix is found
with a configuration that has the same ones.

Examples:
  pawline cleanup
  pawline cleanup --yes   without a question, even while Pawline is running

Exit codes:
  0  removed, or nothing to remove, or you have said no
  1  something is still there, and is named
  2  wrong usage or configuration, nobody to ask, or Pawline is running
  3  the broker refused the login
  4  the broker could not be reached`,
} as const;

export const DIAGNOSTICS_HELP = {
  description: paragraphs(
    `A report in JSON for a bug report: versions, the configuration, which parts work, counters, and what is known of
     each device. For it, Pawline logs in and lists the devices once, opens the live stream for 10 s at most, and tries
     the broker.`,
    `No password, token, user name, e-mail address, host, coordinate, Wi-Fi name, pet's name or device number is in it:
     values that could tell whose they are read ***, and devices have made-up names, the same ones in each report of
     this installation. Read it before you publish it all the same.`,
  ),
  after: `
Examples:
  pawline diagnostics
  pawline diagnostics --output report.json

Exit codes:
  0  all parts work
  2  wrong usage or configuration; only then there is no report
  3  a login was refused
  4  a part could not be reached`,
} as const;
