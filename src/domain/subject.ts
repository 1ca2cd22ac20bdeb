import { type Agent, DEFAULT_SEGMENT } from './agent.ts';
import { suggest } from './nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from './problem.ts';

/** Who says what a request is about. */
export type SubjectBy = 'agent' | 'assertion' | 'context';

/** Where the subject of a request comes from; `attribute` names the one of `context`. */
export interface SubjectSource {
  by: SubjectBy;
  attribute?: string;
}

/** What a request is about, and on whose word. */
export interface Subject {
  name: string;
  by: SubjectBy;
}

/** What a request brings along of its subject. */
interface Named {
  subject: unknown;
  /** `sub` of the signed assertion. */
  vouched?: string;
}

const UNSEEN = '[\\s\\p{Default_Ignorable_Code_Point}\\p{Cc}]+';
/** Nothing to compose in it, and nothing around it. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;
const AROUND = new RegExp(`^${UNSEEN}|${UNSEEN}$`, 'gu');

/** Composed, and without what nobody sees around it: else one customer would be several. */
export const normalSubject = (text: string): string =>
  PLAIN.test(text) ? text : text.normalize('NFC').replace(AROUND, '');

/** Reads `assertion.sub` and `context.customer`; any other word only names what the agent itself says. */
export function subjectSource(text: string | undefined): SubjectSource {
  if (text === 'assertion.sub') return { by: 'assertion' };
  const attribute = /^context\.([a-zA-Z_]\w*)$/.exec(text ?? '')?.[1];
  return attribute === undefined ? { by: 'agent' } : { by: 'context', attribute };
}

/** The subject by its source; `undefined` when whoever should name it did not. */
export function subjectFrom(
  { by, attribute = '' }: SubjectSource,
  { subject, vouched }: Named,
  context: Readonly<Record<string, unknown>>,
): Subject | undefined {
  const value = by === 'agent' ? subject : by === 'assertion' ? vouched : context[attribute];
  const text = typeof value === 'number' ? String(value) : value;
  const name = typeof text === 'string' ? normalSubject(text) : '';
  return name === '' ? undefined : { name, by };
}

/** What is wrong with a source: a text with a dot is meant as one, and must be one that can be vouched for. */
export function checkSubject(text: string | undefined, path: ManifestPath, agent: Agent): CheckProblem[] {
  const { by, attribute } = subjectSource(text);
  if (by === 'assertion' && agent.assertions?.jwks === undefined)
    return [
      {
        path,
        message: 'No assertion can be verified, so none can name the subject',
        hint: 'Set assertions.jwks of the agent',
      },
    ];
  if (attribute !== undefined && !['string', 'int'].includes(agent.attributes[attribute] ?? '')) {
    const known = Object.keys(agent.attributes).map((name) => `context.${name}`);
    const message = `There is no attribute "${attribute}" of type string or int`;
    return [{ path, message, hint: sentence(suggest(`context.${attribute}`, [...known, 'assertion.sub'])) }];
  }
  if (by !== 'agent' || text === undefined || !/[.:]/.test(text)) return [];
  const known = ['assertion.sub', ...Object.keys(agent.attributes).map((name) => `context.${name}`)];
  return [
    {
      path,
      message: `"${text}" does not say where the subject comes from`,
      hint: `${sentence(suggest(text, known))} A word without a dot, such as conversation, names what the agent itself says`,
    },
  ];
}

/** The segments in which only the agent says what a request is about; `undefined`: no release says anything of it. */
export function onAgentsWord(agent: Agent, releaseSubject: string | undefined): string[] {
  const { by } = subjectSource(releaseSubject);
  const segments = [...agent.segments, { name: DEFAULT_SEGMENT, subject: undefined }];
  return segments
    .filter(({ subject }) => (subject === undefined ? by : subjectSource(subject).by) === 'agent')
    .map(({ name }) => name);
}

/** Said wherever exposure is shown. */
export const agentsWordText = (segments: readonly string[]): string =>
  `In ${segments.join(', ')} exposure rests on the agent's word: it says what a request is about`;
