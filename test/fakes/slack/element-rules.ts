import { isJson, type Json } from './json.ts';
import {
  ANY_TEXT,
  checkItems,
  checkOneOf,
  checkOptional,
  checkProperties,
  checkString,
  checkText,
  checkUrl,
  LIMITS,
  type Problems,
} from './limits.ts';

const COMMON = ['type', 'action_id'];
const SELECT = [...COMMON, 'placeholder', 'confirm', 'focus_on_load'];
const CHOICE = [...COMMON, 'options', 'initial_option', 'initial_options', 'confirm', 'focus_on_load'];
const INPUT = [...COMMON, 'placeholder', 'initial_value', 'focus_on_load', 'dispatch_action_config'];

const PROPERTIES: Record<string, readonly string[]> = {
  button: [...COMMON, 'text', 'url', 'value', 'style', 'confirm', 'accessibility_label'],
  overflow: [...COMMON, 'options', 'confirm'],
  static_select: [...SELECT, 'options', 'option_groups', 'initial_option'],
  multi_static_select: [...SELECT, 'options', 'option_groups', 'initial_options', 'max_selected_items'],
  users_select: [...SELECT, 'initial_user'],
  multi_users_select: [...SELECT, 'initial_users', 'max_selected_items'],
  channels_select: [...SELECT, 'initial_channel', 'response_url_enabled'],
  conversations_select: [
    ...SELECT,
    'initial_conversation',
    'default_to_current_conversation',
    'response_url_enabled',
    'filter',
  ],
  radio_buttons: CHOICE,
  checkboxes: CHOICE,
  datepicker: [...SELECT, 'initial_date'],
  timepicker: [...SELECT, 'initial_time', 'timezone'],
  datetimepicker: [...COMMON, 'initial_date_time', 'confirm', 'focus_on_load'],
  plain_text_input: [...INPUT, 'multiline', 'min_length', 'max_length'],
  number_input: [...INPUT, 'is_decimal_allowed', 'min_value', 'max_value'],
  email_text_input: INPUT,
  url_text_input: INPUT,
  image: ['type', 'image_url', 'alt_text', 'slack_file'],
};

const ACTIONS = Object.keys(PROPERTIES).filter((type) => !/_input$|^image$/.test(type));
/** Which elements each block takes. */
export const ELEMENTS_OF = {
  actions: ACTIONS,
  accessory: [...ACTIONS, 'image'],
  input: Object.keys(PROPERTIES).filter((type) => !['button', 'overflow', 'image'].includes(type)),
} as const;

/** Checks one element of a block, and that its `action_id` is unique in that block. */
export function checkElement(
  problems: Problems,
  value: unknown,
  pointer: string,
  allowed: readonly string[],
  actionIds: Set<string>,
): void {
  if (!isJson(value)) {
    problems.add('must be an object', pointer);
    return;
  }
  const type = String(value.type);
  const known = PROPERTIES[type];
  if (!known || !allowed.includes(type)) {
    problems.add(`unsupported type: ${type}`, `${pointer}/type`);
    return;
  }
  checkProperties(problems, value, pointer, known);
  checkActionId(problems, value.action_id, pointer, actionIds);
  if (value.confirm !== undefined) checkConfirm(problems, value.confirm, `${pointer}/confirm`);
  checkText(problems, value.placeholder, `${pointer}/placeholder`, {
    max: LIMITS.placeholder,
    optional: true,
  });
  if (type === 'button') checkButton(problems, value, pointer);
  else if (type === 'image') checkImage(problems, value, pointer);
  else if (type === 'plain_text_input') checkPlainTextInput(problems, value, pointer);
  else if (type === 'number_input' && typeof value.is_decimal_allowed !== 'boolean') {
    problems.add('missing required field: is_decimal_allowed', pointer);
  } else if (known.includes('options')) checkChoices(problems, value, pointer, type);
}

function checkActionId(problems: Problems, id: unknown, pointer: string, actionIds: Set<string>): void {
  if (id === undefined) return;
  checkString(problems, id, `${pointer}/action_id`, LIMITS.id);
  if (actionIds.has(String(id))) problems.add(`\`action_id\` already exists: ${id}`, `${pointer}/action_id`);
  actionIds.add(String(id));
}

function checkButton(problems: Problems, button: Json, pointer: string): void {
  checkText(problems, button.text, `${pointer}/text`, { max: LIMITS.buttonText });
  checkOptional(problems, button.value, `${pointer}/value`, LIMITS.buttonValue);
  checkOptional(
    problems,
    button.accessibility_label,
    `${pointer}/accessibility_label`,
    LIMITS.accessibilityLabel,
  );
  checkOneOf(problems, button.style, `${pointer}/style`, ['primary', 'danger']);
  if (button.url !== undefined) checkUrl(problems, button.url, `${pointer}/url`);
}

/** Checks an image, as a block or inside one. */
export function checkImage(problems: Problems, image: Json, pointer: string): void {
  checkString(problems, image.alt_text, `${pointer}/alt_text`, LIMITS.imageText);
  if (image.slack_file === undefined) checkUrl(problems, image.image_url, `${pointer}/image_url`);
}

function checkPlainTextInput(problems: Problems, input: Json, pointer: string): void {
  checkOptional(problems, input.initial_value, `${pointer}/initial_value`, LIMITS.inputText, 0);
  for (const [field, least] of [
    ['min_length', 0],
    ['max_length', 1],
  ] as const) {
    const value = input[field];
    if (value === undefined) continue;
    const fits = Number.isInteger(value) && Number(value) >= least && Number(value) <= LIMITS.inputText;
    if (!fits) problems.add(`must be an integer from ${least} to ${LIMITS.inputText}`, `${pointer}/${field}`);
  }
}

function checkChoices(problems: Problems, element: Json, pointer: string, type: string): void {
  const checkable = type === 'radio_buttons' || type === 'checkboxes';
  const few = type === 'overflow' ? LIMITS.overflowOptions : LIMITS.checkOptions;
  const max = checkable || type === 'overflow' ? few : LIMITS.options;
  if (element.option_groups !== undefined && element.options === undefined) {
    checkItems(problems, element.option_groups, `${pointer}/option_groups`, LIMITS.options).forEach(
      (group, i) => {
        const at = `${pointer}/option_groups/${i}`;
        if (!isJson(group)) {
          problems.add('must be an object', at);
          return;
        }
        checkText(problems, group.label, `${at}/label`, { max: LIMITS.optionText });
        checkOptions(problems, group.options, `${at}/options`, LIMITS.options, checkable);
      },
    );
  } else checkOptions(problems, element.options, `${pointer}/options`, max, checkable);
  const chosen = element.initial_option === undefined ? element.initial_options : [element.initial_option];
  for (const option of Array.isArray(chosen) ? chosen : []) {
    const same = JSON.stringify(
      optionsOf(element).find((each) => isJson(option) && each.value === option.value),
    );
    if (same !== JSON.stringify(option)) problems.add('initial option must be one of the options', pointer);
  }
}

/** All options of a choice, those in groups too. */
export function optionsOf(element: Json): Json[] {
  const groups = Array.isArray(element.option_groups) ? element.option_groups.filter(isJson) : [];
  return [element, ...groups].flatMap((each) =>
    Array.isArray(each.options) ? each.options.filter(isJson) : [],
  );
}

function checkOptions(
  problems: Problems,
  value: unknown,
  pointer: string,
  max: number,
  mrkdwn: boolean,
): void {
  const types = mrkdwn ? ANY_TEXT : undefined;
  checkItems(problems, value, pointer, max).forEach((option, i) => {
    const at = `${pointer}/${i}`;
    if (!isJson(option)) {
      problems.add('must be an object', at);
      return;
    }
    checkProperties(problems, option, at, ['text', 'value', 'description', 'url']);
    checkText(problems, option.text, `${at}/text`, { max: LIMITS.optionText, types });
    checkString(problems, option.value, `${at}/value`, LIMITS.optionValue);
    const description = { max: LIMITS.optionText, types, optional: true };
    checkText(problems, option.description, `${at}/description`, description);
    if (option.url !== undefined) checkUrl(problems, option.url, `${at}/url`);
  });
}

function checkConfirm(problems: Problems, value: unknown, pointer: string): void {
  if (!isJson(value)) {
    problems.add('must be an object', pointer);
    return;
  }
  checkProperties(problems, value, pointer, ['title', 'text', 'confirm', 'deny', 'style']);
  checkText(problems, value.title, `${pointer}/title`, { max: LIMITS.confirmTitle, optional: true });
  checkText(problems, value.text, `${pointer}/text`, { max: LIMITS.confirmText, types: ANY_TEXT });
  for (const button of ['confirm', 'deny']) {
    checkText(problems, value[button], `${pointer}/${button}`, { max: LIMITS.confirmButton, optional: true });
  }
  checkOneOf(problems, value.style, `${pointer}/style`, ['primary', 'danger']);
}
