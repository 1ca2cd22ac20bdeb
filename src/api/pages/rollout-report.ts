import { acceptedText, armsText } from '../../domain/evidence/arms.ts';
import { besideText } from '../../domain/evidence/beside.ts';
import { eValueOf } from '../../domain/evidence/eprocess.ts';
import { ratioText } from '../../domain/evidence/ratio.ts';
import type { Trend } from '../../domain/evidence/trend.ts';
import { costText } from '../../domain/rates.ts';
import { changeText } from '../../domain/rollout/join.ts';
import type { EvidenceView } from '../../reports/evidence.ts';
import type { RolloutReport } from '../../reports/rollout.ts';
import { evidenceChart, exposureChart, type Marks } from './evidence-chart.ts';
import { Html, html } from './html.ts';
import { row } from './layout.ts';
import { STYLE } from './style.ts';
import { minuteText } from './words.ts';

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
const figure = (value: number): string => String(Number(value.toPrecision(3)));

/** A rollout as one looks at it: on its page, with what can be done about it, and in the file that `rollout report` writes. */
export function reportPart(report: RolloutReport, verbs?: Html): Html {
  const { rollout, evidence, exposures } = report;
  const marks = marksOf(report);
  return html`<h1>Rollout ${rollout.id}</h1>
<p>Release ${rollout.release} of ${rollout.agent}: <span class="state">${rollout.status.replace('_', ' ')}</span>, ${rollout.phase},
step ${rollout.step} of ${rollout.steps}, ${rollout.plan}. As of ${minuteText(report.asOf)}.</p>
<dl>
${row('Started', `${minuteText(rollout.startedAt)} by ${rollout.startedBy}: ${report.reason}`)}
${row('Ended', rollout.endedAt === null ? undefined : minuteText(rollout.endedAt))}
${row('Watched', watchedText(rollout))}
${row('Signed off by', report.signedOffBy)}
${row('Escalation', report.escalation)}
${row('False rollback', `in at most ${percent(report.alpha)} of rollouts, over all of its life`)}
${rollout.waivers.map((one) => row(`Waived: case ${one.case}`, `until ${minuteText(one.until)}, on the word of ${one.person}: ${one.reason}`))}
${row('Baseline', rollout.baselineDigest === null ? 'not locked yet' : `locked, ${rollout.baselineDigest}`)}
</dl>
${waitsPart(report)}
${lookPart(report)}
${armsPart(report)}
${pairsPart(report)}
${joinedPart(report)}
${verbs}
<h2>Plan</h2>
${planPart(report)}
<h2>Exposure</h2>
${exposures.length === 0 && html`<p class="meta">Nobody is exposed yet.</p>`}
${exposures.map(({ segment, spans }) => html`<h3>${segment}</h3>${exposureChart(spans, segment, marks)}`)}
<h2>Evidence</h2>
${evidence.length === 0 && html`<p class="meta">Nothing is counted yet.</p>`}
${evidence.map((view) => evidencePart(view, marks))}
<h2>Timeline</h2>
${timelinePart(report)}`;
}

/** How long what breaches is taken back after everybody has it. */
function watchedText({ status, watchedUntil, watchOver }: RolloutReport['rollout']): string | undefined {
  if (status !== 'completed') return undefined;
  if (watchedUntil === null) return 'as long as its release is in force';
  return `until ${minuteText(watchedUntil)}${watchOver ? ', over' : ''}`;
}

/** The same as one file that needs nothing beside it. */
export const reportDocument = (report: RolloutReport): Html => html`${new Html('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rollout ${report.rollout.id} · Portcullis</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main id="main">
${reportPart(report)}
</main>
<footer>Times are UTC. Made from the log and the counts of the rollout; portcullis rollout explain judges each verdict again.</footer>
</body>
</html>
`;

function marksOf({ atDay, builds, timeline }: RolloutReport): Marks {
  const entered = timeline.filter(({ kind }) => kind === 'rollout.step_entered');
  return { toDay: atDay, steps: entered.map(({ day }) => day), builds };
}

function waitsPart({ rollout }: RolloutReport): Html | undefined {
  if (rollout.endedAt !== null) return undefined;
  if (rollout.waitsFor.length === 0) return html`<p>It waits for nothing.</p>`;
  return html`<h2>Waits for</h2><ul>${rollout.waitsFor.map(({ detail }) => html`<li>${detail}</li>`)}</ul>`;
}

function lookPart({ rollout: { worthALook } }: RolloutReport): Html | undefined {
  if (worthALook.length === 0) return undefined;
  return html`<h2>Worth a look</h2>
<p class="meta">Nothing is taken back by it; at most one in ten is there by chance.</p>
<ul>${worthALook.map(({ segment, metric, why, value }) => html`<li>${metric} in ${segment}: ${why === 'evidence' ? `its e-value of ${figure(value)} stands out among all` : `it got worse lately (e-CUSUM ${figure(value)})`}</li>`)}</ul>`;
}

function armsPart({ rollout: { arms } }: RolloutReport): Html | undefined {
  if (arms.length === 0) return undefined;
  return html`<h2>Arms</h2>
<p class="meta">Whether subjects split as they are assigned: else no comparison of arms is worth anything.</p>
<ul>${arms.map((one) => html`<li>${one.segment}: ${armsText(one)}${one.mismatchedAt !== null && html`: <strong>not as assigned</strong> since ${minuteText(one.mismatchedAt)}, nothing widens`}.${one.accepted !== null && html` ${acceptedText(one.accepted, minuteText(one.accepted.at))}.`}</li>`)}</ul>`;
}

function pairsPart({ rollout: { pairs } }: RolloutReport): Html | undefined {
  if (pairs.length === 0) return undefined;
  return html`<h2>Judged together</h2>
<p class="meta">A gain in one excuses no loss in the other.</p>
<ul>${pairs.map(({ segment, verdict, metrics }) => html`<li>${segment}: <strong>${verdict}</strong> (${metrics.map((one) => `${one.metric} ${one.verdict}`).join(', ')})</li>`)}</ul>`;
}

function joinedPart({ rollout: { segments } }: RolloutReport): Html | undefined {
  const changed = segments.flatMap(({ segment, changed }) => (changed ? { segment, changed } : []));
  if (changed.length === 0) return undefined;
  return html`<h2>Joined later</h2>
<p class="meta">Of what default did before, only what speaks against the release counts on; that all is well it shows anew.</p>
<ul>${changed.map((one) => html`<li>${one.segment}: ${changeText(one.changed)}</li>`)}</ul>`;
}

const planPart = ({ rollout }: RolloutReport): Html => html`<div class="wide"><table>
<thead><tr><th>Step</th><th>Phase</th><th>Days</th><th>Exposure</th><th>Gate</th><th></th></tr></thead>
<tbody>${rollout.planned.map(
  ({ step, phase, fromDay, toDay, exposure, bounds, gate, state }) =>
    html`<tr><td>${step}</td><td>${phase}</td><td>${figure(fromDay)}–${figure(toDay)}</td><td>${exposure}${bounds && `; ${bounds}`}</td><td>${gate}</td><td>${state === 'now' ? html`<strong>now</strong>` : state}</td></tr>`,
)}</tbody></table></div>`;

function evidencePart(view: EvidenceView, marks: Marks): Html {
  const { segment, metric, business, reason, verdict, moreNeeded, trigger, unit, breaches } = view;
  const said = (value: number): string => (view.isSum ? figure(value) : percent(value));
  return html`<h3>${metric} in ${segment}: ${verdict}</h3>
<p class="meta">Stands for ${business || 'no business metric'}; ${limitText(view)}: ${reason}.
${trigger === null ? onlyReports(view) : ''}${moreNeeded ? ` ${moreNeeded} more ${view.isSum ? 'events of 0' : 'harmless events'} until it is ok.` : ''}</p>
${view.cost !== null && html`<p class="meta">In ${business || 'money'}: ${costText(view.cost)}.</p>`}
${view.beside !== null && html`<p class="meta">${besideText(view.beside, figure)}.</p>`}
${view.trend !== null && html`<p class="meta">${trendText(view.trend)}</p>`}
${breaches.map(({ at, because, held }) => html`<p class="problem">${held ? 'Held' : 'Taken back'} ${minuteText(at)}: ${because}</p>`)}
${evidenceChart(view, marks)}
<details><summary>Counts by day</summary><div class="wide"><table>
<thead><tr><th>Day</th><th>${unit || 'Events'}</th><th>Harm</th><th>Reported</th><th>${view.isRatio ? 'Ratio' : view.isSum ? 'Mean' : 'Share'}</th><th>Between</th><th>E</th></tr></thead>
<tbody>${view.processes.flatMap(({ days }) =>
    days.map(
      ({ day, events, harms, known, value, lower, upper, logE }) =>
        html`<tr><td>${day + 1}</td><td>${events}</td><td>${harms ?? '–'}</td><td>${known}</td><td>${value === null ? '–' : said(value)}</td><td>${lower === null || upper === null ? '–' : `${said(lower)} and ${said(upper)}`}</td><td>${figure(eValueOf(logE))}</td></tr>`,
    ),
  )}</tbody></table></div></details>`;
}

/** Beside the same weekdays before the release: a week with another mix of days is no trend. */
const trendText = ({ fromDay, toDay, events, harms, expected, compared }: Trend): string =>
  `Days ${fromDay + 1} to ${toDay + 1}: ${harms} harms among ${events}. At the rates of the same weekdays before the release ${figure(Number(expected.toPrecision(3)))} would be expected${compared < events ? `, of the ${compared} on weekdays that had any` : ''}.`;

const onlyReports = ({ wouldOnDay }: EvidenceView): string =>
  wouldOnDay === null
    ? 'It only reports, and would have taken back nothing.'
    : `It only reports, and would have taken back on day ${wouldOnDay + 1}.`;

function limitText({ limit, atLeast, isSum, isRatio, unit }: EvidenceView): string {
  if (atLeast !== null) return `at least ${percent(atLeast)}, which is at most ${percent(limit)} of harm`;
  if (isRatio) return `limit ${ratioText(figure(limit), unit)}`;
  return `limit ${isSum ? `${figure(limit)} in the mean` : percent(limit)}`;
}

const timelinePart = ({ timeline }: RolloutReport): Html => html`<div class="wide"><table>
<thead><tr><th>Day</th><th>At</th><th>What</th><th>By</th><th>Entry</th></tr></thead>
<tbody>${timeline.map(
  ({ day, at, text, actor, entry }) =>
    html`<tr><td>${Math.floor(day) + 1}</td><td>${minuteText(at)}</td><td>${text}</td><td>${actor}</td><td>${entry}</td></tr>`,
)}</tbody></table></div>`;
