/** The one style sheet; colours keep a contrast of at least 4.5 in both schemes. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --panel: #f4f6f8; --line: #d0d7de;
  --link: #0550ae; --ok: #0f6b2f; --bad: #a40e26; --warn-ink: #5c3c00; --warn-paper: #fff3cd; --focus: #0969da; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --panel: #161b22; --line: #3d444d; --link: #79b8ff;
    --ok: #56d364; --bad: #ff8182; --warn-ink: #f5d990; --warn-paper: #3b2e00; --focus: #79b8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main, footer { max-width: 56rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center; border-bottom: 1px solid var(--line); }
header strong { margin-right: auto; }
header form { margin: 0; }
footer { color: var(--soft); border-top: 1px solid var(--line); font-size: 0.875rem; }
main { overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0.5rem 0; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
.notice, .problem, .done { padding: 0.6rem 0.8rem; margin: 0.75rem 0; border-left: 0.35rem solid; }
.notice { color: var(--warn-ink); background: var(--warn-paper); border-color: currentColor; }
.notice > p, .problem > p, form.panel > p { margin: 0 0 0.5rem; }
.problem { background: var(--panel); border-color: var(--bad); }
.done { background: var(--panel); border-color: var(--ok); }
dl { display: grid; grid-template-columns: minmax(7rem, 13rem) minmax(0, 1fr); gap: 0.3rem 1rem; margin: 0.5rem 0; }
dt { color: var(--soft); }
dd { margin: 0; }
ul { padding-left: 1.2rem; }
ul.rows { list-style: none; padding: 0; margin: 0.25rem 0 1rem; }
ul.rows > li { padding: 0.6rem 0; border-bottom: 1px solid var(--line); }
.meta { color: var(--soft); font-size: 0.9rem; }
.state { font-weight: 600; }
.state.approved, .state.executed { color: var(--ok); }
.state.denied, .state.failed, .state.disabled, .state.unknown { color: var(--bad); }
blockquote { margin: 0.5rem 0; padding: 0.3rem 0.8rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
pre, code { font: 0.9rem/1.45 ui-monospace, monospace; }
pre { background: var(--panel); padding: 0.6rem 0.8rem; white-space: pre-wrap; margin: 0.5rem 0; }
form.panel { background: var(--panel); padding: 0.8rem; margin: 0.75rem 0; border: 1px solid var(--line); }
fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
legend { padding: 0; }
ul.rows > li.choice { display: grid; grid-template-columns: 2rem minmax(0, 1fr); gap: 0 0.6rem; }
li.choice input { width: 1.5rem; height: 1.5rem; margin: 0; }
li.choice label { margin: 0; }
ul.changes { list-style: none; padding: 0; margin: 0.25rem 0; }
details { margin: 0.25rem 0; }
details form.panel { margin-top: 0; }
summary { cursor: pointer; min-height: 2.75rem; padding: 0.6rem 0; font-weight: 600; }
form.filters { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; }
label { display: block; font-weight: 600; margin-bottom: 0.25rem; }
input, select, textarea { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  padding: 0.5rem; width: 100%; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: 0.5rem 1.2rem; margin-top: 0.6rem; cursor: pointer;
  color: var(--paper); background: var(--link); border: 2px solid transparent; }
textarea.code { font: 0.9rem/1.45 ui-monospace, monospace; }
textarea { resize: vertical; }
form.panel > textarea + label, .side + label { margin-top: 0.6rem; }
.side, .buttons { display: flex; flex-wrap: wrap; gap: 0 0.75rem; margin-top: 0.6rem; }
.side { row-gap: 0.6rem; }
.side > div { flex: 1 1 10rem; }
.buttons { margin: 0; }
button.approve { background: var(--ok); }
button.deny { background: var(--bad); }
button.quiet { color: var(--link); background: none; padding: 0; margin: 0; min-height: 0; font-weight: inherit;
  text-decoration: underline; }
@media (max-width: 30rem) { dl { grid-template-columns: 7.25rem minmax(0, 1fr); gap: 0.3rem 0.6rem; } button { width: 100%; }
  header button.quiet { width: auto; } }
.wide { overflow-x: auto; }
.ref { white-space: nowrap; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: normal; }
th { color: var(--soft); font-weight: 600; }
svg.chart { display: block; width: 100%; max-width: 44rem; height: auto; margin: 0.5rem 0; }
svg.chart text { font: 13px system-ui, sans-serif; fill: var(--soft); paint-order: stroke; stroke: var(--paper);
  stroke-width: 3; }
svg.chart text.strong { fill: var(--ink); font-weight: 600; }
svg.chart path, svg.chart line { fill: none; stroke: var(--line); stroke-width: 1; }
svg.chart .band { fill: var(--line); stroke: none; opacity: 0.6; }
svg.chart .value, svg.chart .e-value { stroke: var(--ink); stroke-width: 2; }
svg.chart .limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 7 4; }
svg.chart .step { stroke: var(--soft); stroke-dasharray: 1 3; }
svg.chart .build { stroke: var(--soft); stroke-dasharray: 6 2 1 2; }
svg.chart .breach { stroke: var(--bad); stroke-width: 3; }
svg.chart .exposed { fill: var(--soft); opacity: 0.7; }
div.picture { position: relative; left: 50%; transform: translateX(-50%); width: calc(100vw - 3rem); max-width: 78rem; }
svg.system { display: block; min-width: 60rem; width: 100%; height: auto; margin: 0.5rem 0; }
svg.system text { fill: var(--ink); }
svg.system text.soft { fill: var(--soft); }
svg.system rect.paper { fill: var(--paper); }
svg.system rect.ink { fill: var(--ink); }
svg.system .card > rect { stroke: var(--line); }
svg.system .lit > rect, svg.system .failed > rect, svg.system .solid { stroke: var(--ink); }
svg.system .failed > rect, svg.system .dashed { stroke: var(--bad); }
svg.system .thin { stroke: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 0.5rem 1rem; }
svg.chart.week .young { fill: var(--panel); stroke: none; }
svg.chart.week .dot { fill: var(--ink); stroke: none; }
svg.chart.week .mark { fill: var(--ink); stroke: none; }
svg.chart.week .back { fill: none; stroke: var(--ink); stroke-width: 2; }
tr.worse td { color: var(--bad); }
tr.better td { color: var(--ok); }
`;
