/** One record of Home Assistant's log: its first line, and whatever follows it (a traceback). */
const RECORD = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S* [A-Z]+ \(/;
const COMPLAINT = /^\S+ \S+ (?:WARNING|ERROR|CRITICAL) \(/;

/** What a start without any integration says, where nothing is installed but Home Assistant itself. */
const harmless = [
  "[homeassistant.bootstrap] Skipping pip installation of required modules.",
  "[aiohttp_fast_zlib] zlib_ng and isal are not available, falling back to zlib",
  "[haffmpeg.core] FFmpeg fails [Errno 2] No such file or directory: 'ffmpeg'",
  "[haffmpeg.tools] Error starting FFmpeg.",
];

function records(log: string): string[] {
  const found: string[] = [];
  for (const line of log.trimEnd().split("\n")) {
    const last = found.length - 1;
    if (RECORD.test(line) || last < 0) found.push(line);
    else found[last] += `\n${line}`;
  }
  return found;
}

export function complaintsIn(log: string, allowed: readonly string[] = []): string[] {
  const known = [...harmless, ...allowed];
  return records(log).filter((record) => COMPLAINT.test(record) && !known.some((text) => record.includes(text)));
}
