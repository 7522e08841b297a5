/** What a cloud may say that means harm, or has lost its mind. */

/** Names, each with what has to be left of it. */
export const HOSTILE_NAMES: readonly string[] = [
  "\u0000\u0007\u001b[2J\u009b31mbell",
  "line\r\nbreak\u2028and\u2029more",
  `quotes " ' \` \\ and \\u0022`,
  "{{ states('sensor.x') }}",
  "{% for x in range(10**9) %}{{ x }}{% endfor %}",
  "{{ value_json }} {# comment #}",
  "pawline/+/#/$SYS/../set",
  "<img src=x onerror=alert(1)><script>alert(2)</script>",
  "\u202egnp.tac\u2066 🐈‍⬛ \ud83d",
  '=HYPERLINK("http://evil.example")',
  "__proto__",
  "constructor",
  "%s%n$(reboot)",
];

/** Fields of a collar that no collar has. */
export const HOSTILE_NUMBERS = {
  bat: 1e308,
  accuWarn: -0,
  mode: 2 ** 53 - 1,
  modeSet: -5,
  status: 2 ** 53 - 1,
  flags: -(2 ** 53 - 1),
  searchModeDuration: 1e308,
  lastTlgNr: -(2 ** 53 - 1),
  lastRssi: 1e9,
  hw: -1,
  sw: 2 ** 40,
  chg: "NaN",
  home: "Infinity",
} as const;

/** So many lists in one another, as JSON. */
export function deepJson(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
