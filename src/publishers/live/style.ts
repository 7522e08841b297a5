/** How the page looks: light and dark, wide and narrow. Kept as a text, like the script. */
export const STYLE = `:root {
  color-scheme: light dark;
  --page: #f4f5f7;
  --card: #ffffff;
  --text: #1b1f24;
  --muted: #57606a;
  --line: #d5dae0;
  --good: #116329;
  --bad: #a40e26;
  --busy: #7a4b00;
  --warn: #fff3d1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418;
    --card: #1b1f24;
    --text: #e8eaed;
    --muted: #a6b0bb;
    --line: #353c45;
    --good: #6fdd8b;
    --bad: #ff9aa2;
    --busy: #f2c46d;
    --warn: #43330b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  max-width: 64rem;
  padding: 1rem 1.25rem 2rem;
  background: var(--page);
  color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: break-word;
}
header { display: flex; align-items: center; gap: 0.75rem; }
header p { margin: 0; color: var(--muted); font-size: 0.875rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; }
h2 { margin: 0 0 0.5rem; font-size: 1.125rem; line-height: 1.3; }
small { color: var(--muted); }
#connection { margin: 0; }
#connection:not(:empty) { margin: 1rem 0 0; padding: 0.75rem 1rem; border-radius: 0.75rem; background: var(--warn); }
.summary { margin: 1rem 0; font-size: 1.125rem; font-weight: 600; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.busy { color: var(--busy); }
section { margin: 0 0 1rem; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: 0.75rem; background: var(--card); }
section p { margin: 0 0 0.5rem; }
section p:last-child { margin: 0; }
section p::first-letter { text-transform: uppercase; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 1rem 0.5rem 0; text-align: start; vertical-align: top; }
th { font-weight: 600; }
thead th { padding-top: 0; white-space: nowrap; color: var(--muted); font-size: 0.875rem; }
tbody tr { border-top: 1px solid var(--line); }
tr > :last-child { padding-inline-end: 0; }
tbody tr:last-child > * { padding-bottom: 0; }
@media (min-width: 60rem) {
  time { white-space: nowrap; }
}
@media (max-width: 44rem) {
  body { padding: 0.75rem 0.75rem 1.5rem; }
  section { padding: 0.75rem 1rem; }
  table, tbody, tr, tbody th { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  tbody tr { padding: 0.5rem 0; }
  tbody tr:first-child { border-top: 0; padding-top: 0; }
  tbody tr:last-child { padding-bottom: 0; }
  tbody th { padding: 0 0 0.25rem; font-size: 1.0625rem; }
  td { display: grid; grid-template-columns: 7.5rem 1fr; gap: 0.75rem; padding: 0.125rem 0; }
  td::before { content: attr(data-label); color: var(--muted); font-size: 0.875rem; line-height: 1.7; }
  td > div { min-width: 0; }
  td:has(> div:empty) { display: none; }
}
`;
