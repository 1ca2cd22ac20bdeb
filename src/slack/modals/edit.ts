import { type SeenMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { LIMITS } from '../../cards/blocks/limits.ts';
import { section } from '../../cards/blocks/message.ts';
import { inline, label } from '../../cards/blocks/mrkdwn.ts';
import { type JsonValue, parseExactJson } from '../../domain/exact-json.ts';
import { spellUnseen } from '../../domain/unseen.ts';
import type { ActionRow } from '../../records/action.ts';
import { INPUT, type InputBlock, MODAL, type ModalView, plain, reasonInput, textInput } from '../modals.ts';

type Args = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string | null | undefined>>;

const SUMMARY_MAX = 600;
const INPUTS_MAX = 40;
/** Slack wants a label, and a member may be called by nothing. */
const NO_NAME = '(no name)';
const KEY_MAX = 200;
const PROBLEM_MAX = 500;
const ONE = `${INPUT.args}:`;

/** The arguments as JSON to be changed; `undefined` when they are too long for Slack's fields. */
export function editView(action: ActionRow, args: Args, meta: SeenMeta): ModalView | undefined {
  const inputs = argInputs(args);
  return (
    inputs && {
      type: 'modal',
      callback_id: MODAL.edit,
      private_metadata: VALUE.seen.encode(meta),
      title: plain('Change the arguments'),
      submit: plain('Change them'),
      close: plain('Cancel'),
      blocks: [
        section('what', `*${inline(action.summary, SUMMARY_MAX)}*`),
        section(
          'how',
          'Approvals so far will not count any more, and you will not count as an approver of it: somebody else must approve. Values shown as [redacted] stay what they are; they can be changed on its page alone.',
        ),
        ...inputs,
        reasonInput('Why? The next approver and the log get this', true),
      ],
    }
  );
}

/** All in one field, else one field an argument, else not at all. */
function argInputs(args: Args): InputBlock[] | undefined {
  const whole = jsonText(args);
  if (whole.length <= LIMITS.inputText)
    return [textInput(INPUT.args, 'Arguments, as JSON', { initial: whole })];
  const each = Object.entries(args).map(([key, value]) => ({ key, text: jsonText(value) }));
  const fits =
    each.length <= INPUTS_MAX &&
    each.every(({ key, text }) => key.length <= KEY_MAX && text.length <= LIMITS.inputText);
  if (!fits) return undefined;
  return each.map(({ key, text }) => {
    const more = { initial: text, optional: true, hint: 'JSON. Leave it empty to take it away.' };
    return {
      ...textInput(`${ONE}${key}`, 'Argument', more),
      label: plain(label(key, KEY_MAX) || NO_NAME, KEY_MAX),
    };
  });
}

/** JSON over several lines in which what cannot be seen is escaped: what is read is what is sent. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => spellUnseen(line, escapeOf))
    .join('\n');

const escapeOf = (codePoint: number): string =>
  String.fromCodePoint(codePoint)
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** The arguments as they were typed, by input; or what is wrong, by the input it stands in. */
export function argsFrom(
  typed: Texts,
): { ok: true; args: Record<string, JsonValue> } | { ok: false; errors: Record<string, string> } {
  const errors: Record<string, string> = {};
  const values = new Map<string, JsonValue>();
  for (const [id, text] of Object.entries(typed)) {
    if (id !== INPUT.args && !id.startsWith(ONE)) continue;
    if (id.startsWith(ONE) && !text?.trim()) continue;
    const read = parseExactJson(text ?? '');
    if (read.ok) values.set(id, read.value);
    else errors[id] = label(`${read.message}. ${read.hint}${quotesHint(text ?? '')}.`, PROBLEM_MAX);
  }
  const whole = values.get(INPUT.args);
  if (whole !== undefined && (typeof whole !== 'object' || whole === null || Array.isArray(whole)))
    errors[INPUT.args] = 'Arguments are one JSON object: begin with { and end with }';
  if (Object.keys(errors).length > 0) return { ok: false, errors };
  const args = (whole ??
    Object.fromEntries([...values].map(([id, value]) => [id.slice(ONE.length), value]))) as Record<
    string,
    JsonValue
  >;
  return { ok: true, args };
}

/** The input under which what speaks of all arguments is said. */
export const firstArgInput = (typed: Texts): string =>
  Object.keys(typed).find((id) => id === INPUT.args || id.startsWith(ONE)) ?? INPUT.args;

const quotesHint = (text: string): string =>
  /[“”„«»]/.test(text)
    ? '. It has curly quotes, which phones like to type: JSON needs straight ones (")'
    : '';
