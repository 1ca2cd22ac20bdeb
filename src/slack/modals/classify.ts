import { type IncidentMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { section } from '../../cards/blocks/message.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import type { Finding } from '../../domain/incident/findings.ts';
import { MECHANISM_NAMES, MECHANISMS, ORIGINS, RESULTS } from '../../domain/incident/mechanisms.ts';
import {
  INPUT,
  MODAL,
  type ModalView,
  multiSelectInput,
  option,
  plain,
  sections,
  selectInput,
  textInput,
} from '../modals.ts';

/** What is asked about: never what somebody else said of it, for one in five is classified by two who do not know of each other. */
export interface ToClassify {
  title: string;
  findings: readonly Finding[];
}

/** Asks by which mechanism an incident happened, each with its one-line test, and what goes with it. */
export function classifyView(meta: IncidentMeta, { title, findings }: ToClassify): ModalView {
  const answers = new Map(findings.map((one) => [one.mechanism, one]));
  const tests = MECHANISMS.map(({ name, test }, at) => {
    const found = answers.get(name);
    const said =
      found?.answer === 'yes' || found?.answer === 'no'
        ? ` _The records say ${found.answer}._`
        : found?.likely
          ? ' _Likely, by the records._'
          : '';
    return `${at + 1}. *${name}*: ${test}.${said}`;
  });
  const named = MECHANISM_NAMES.map((name) => option(name, name));
  const words = (list: readonly string[]) => list.map((word) => option(word.replaceAll('_', ' '), word));
  return {
    type: 'modal',
    callback_id: MODAL.classify,
    private_metadata: VALUE.incidentMeta.encode(meta),
    title: plain('Classify an incident'),
    submit: plain('Classify'),
    close: plain('Cancel'),
    blocks: [
      section(
        'what',
        `*${inline(title, 300)}* (${inline(meta.incident, 60)}, agent ${inline(meta.agent, 80)})\nBy the first control that should have stopped it and did not: the first yes.`,
      ),
      ...sections('tests', tests.join('\n')),
      selectInput(INPUT.mechanism, 'Mechanism', named),
      selectInput(INPUT.certainty, 'How certain', words(['known', 'suspected'])),
      selectInput(INPUT.origin, 'Where it came from', words(ORIGINS), undefined, true),
      selectInput(INPUT.result, 'What came of it', words(RESULTS), undefined, true),
      multiSelectInput(INPUT.contributing, 'What contributed', named),
      textInput(INPUT.entries, 'Entries of the log that justify it', {
        optional: true,
        hint: 'Their numbers, such as 1042, 1057',
      }),
    ],
  };
}
