import { optionsOf } from './element-rules.ts';
import { charCount, isJson, type Json, jsonList, str } from './json.ts';
import { elementsOf, textOf } from './visible.ts';
import type { View } from './world.ts';

/** What a person fills in: by label, `block_id` or `action_id`; a list where several may be chosen. */
export type Filled = Record<string, string | readonly string[] | null>;

/** The `state.values` of a submitted view. Refuses what Slack's own client would not let a person do. */
export function stateValues(view: View, filled: Filled): Json {
  const values: Record<string, Json> = {};
  const left = new Set(Object.keys(filled));
  for (const { element, block } of elementsOf(view.blocks)) {
    if (element.type === 'button' || element.type === 'overflow') continue;
    const label = textOf(block.label);
    const key = [label, block.block_id, str(element.action_id)].find((name) => name !== '' && left.has(name));
    const given = key === undefined ? undefined : filled[key];
    if (key !== undefined) left.delete(key);
    const state = elementState(element, given);
    if (block.type === 'input') refuseUnfinished(block, element, state, label);
    values[block.block_id] = { ...values[block.block_id], [str(element.action_id)]: state };
  }
  if (left.size > 0) throw new Error(`the view has no input '${[...left].join("', '")}'`);
  return values;
}

function elementState(element: Json, given: Filled[string] | undefined): Json {
  const type = str(element.type);
  const option = (name: string) => optionNamed(element, name);
  const one = Array.isArray(given) ? given[0] : given;
  const many = typeof given === 'string' ? [given] : (given ?? undefined);
  if (type === 'checkboxes' || type === 'multi_static_select') {
    return { type, selected_options: many?.map(option) ?? jsonList(element.initial_options) };
  }
  if (type === 'multi_users_select') return { type, selected_users: many ?? element.initial_users ?? [] };
  if (type === 'static_select' || type === 'radio_buttons') {
    const chosen = one === undefined ? element.initial_option : one === null ? null : option(one);
    return { type, selected_option: chosen ?? null };
  }
  const picked = /^(users|channels|conversations)_select$|^(date|time|datetime)picker$/.exec(type);
  if (!picked) return { type, value: one === undefined ? (element.initial_value ?? null) : one || null };
  const word = picked[1] ? picked[1].slice(0, -1) : picked[2] === 'datetime' ? 'date_time' : picked[2];
  return { type, [`selected_${word}`]: one === undefined ? (element[`initial_${word}`] ?? null) : one };
}

/** The option with this text or value. */
export function optionNamed(element: Json, name: string): Json {
  const found = optionsOf(element).find((option) => textOf(option.text) === name || option.value === name);
  if (!found) throw new Error(`nobody can choose '${name}': it is not among the options`);
  return found;
}

function refuseUnfinished(block: Json, element: Json, state: Json, label: string): void {
  const value = Object.entries(state).find(([key]) => key !== 'type')?.[1];
  const empty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
  if (empty && block.optional !== true) throw new Error(`nobody can submit with '${label}' left empty`);
  if (typeof value !== 'string' || isJson(value)) return;
  const length = charCount(value);
  const { min_length: min = 0, max_length: max = 3000 } = element;
  if (length < Number(min) || length > Number(max)) {
    throw new Error(`'${label}' takes ${min} to ${max} characters, not ${length}`);
  }
}
