import { checkElement, checkImage, ELEMENTS_OF } from './element-rules.ts';
import { charCount, isJson, type Json, SlackRefusal, str } from './json.ts';
import {
  ANY_TEXT,
  checkItems,
  checkOneOf,
  checkOptional,
  checkProperties,
  checkString,
  checkText,
  LIMITS,
  Problems,
  type Surface,
} from './limits.ts';

type BlockRule = {
  properties: readonly string[];
  check: (problems: Problems, block: Json, pointer: string) => void;
};

const LEVELS = ['default', 'info', 'warning', 'error', 'success'];
const RICH_TEXT = ['rich_text_section', 'rich_text_list', 'rich_text_quote', 'rich_text_preformatted'];
/** What a container takes as its children. */
const CONTAINED = [
  'actions',
  'context',
  'divider',
  'header',
  'image',
  'input',
  'rich_text',
  'section',
  'table',
];

const BLOCKS: Record<string, BlockRule> = {
  divider: { properties: [], check: () => undefined },
  section: { properties: ['text', 'fields', 'accessory', 'expand'], check: checkSection },
  header: {
    properties: ['text'],
    check: (problems, block, at) => checkText(problems, block.text, `${at}/text`, { max: LIMITS.headerText }),
  },
  context: { properties: ['elements'], check: checkContext },
  actions: { properties: ['elements'], check: checkActions },
  input: { properties: ['label', 'hint', 'element', 'optional', 'dispatch_action'], check: checkInput },
  image: { properties: ['image_url', 'alt_text', 'title', 'slack_file'], check: checkImageBlock },
  markdown: { properties: ['text'], check: checkMarkdown },
  rich_text: { properties: ['elements'], check: checkRichText },
  table: { properties: ['rows', 'column_settings'], check: checkTable },
  data_table: { properties: ['rows', 'caption', 'page_size', 'row_header_column_index'], check: checkTable },
  container: {
    properties: [
      ...['title', 'rich_text_title', 'subtitle', 'child_blocks', 'width', 'icon'],
      ...['is_collapsible', 'default_collapsed', 'has_header_divider'],
    ],
    check: checkContainer,
  },
  alert: { properties: ['text', 'level'], check: checkAlert },
};

/** Refuses the blocks of a message as Slack does (`invalid_blocks`). */
export function refuseBadBlocks(blocks: unknown): void {
  if (!Array.isArray(blocks)) throw new SlackRefusal('invalid_blocks_format');
  const problems = new Problems('message');
  checkItems(problems, blocks, '/blocks', LIMITS.messageBlocks, 0);
  blocks.forEach((block, i) => {
    checkBlock(problems, block, `/blocks/${i}`);
  });
  if (problems.list.length > 0) throw new SlackRefusal('invalid_blocks', problems.list);
}

/** Refuses a modal or Home tab as Slack does (`invalid_arguments`). */
export function refuseBadView(view: unknown, surface: Exclude<Surface, 'message'>): asserts view is Json {
  if (!isJson(view))
    throw new SlackRefusal('invalid_arguments', ['missing required field: view [json-pointer:/view]']);
  if (JSON.stringify(view).length > LIMITS.viewBytes) throw new SlackRefusal('view_too_large');
  const problems = new Problems(surface);
  const common = ['type', 'blocks', 'private_metadata', 'callback_id', 'external_id'];
  const modal = ['title', 'submit', 'close', 'clear_on_close', 'notify_on_close'];
  checkProperties(problems, view, '/view', surface === 'modal' ? [...common, ...modal] : common);
  if (view.type !== surface) problems.add(`unsupported type: ${view.type}`, '/view/type');
  if (surface === 'modal') checkModalTexts(problems, view);
  checkOptional(problems, view.private_metadata, '/view/private_metadata', LIMITS.privateMetadata, 0);
  checkOptional(problems, view.callback_id, '/view/callback_id', LIMITS.id, 0);
  checkOptional(problems, view.external_id, '/view/external_id', LIMITS.id, 0);
  checkItems(problems, view.blocks, '/view/blocks', LIMITS.viewBlocks, 0).forEach((block, i) => {
    checkBlock(problems, block, `/view/blocks/${i}`);
  });
  if (problems.list.length > 0) throw new SlackRefusal('invalid_arguments', problems.list);
}

function checkModalTexts(problems: Problems, view: Json): void {
  const hasInput =
    Array.isArray(view.blocks) && view.blocks.some((each) => isJson(each) && each.type === 'input');
  checkText(problems, view.title, '/view/title', { max: LIMITS.modalTitle });
  checkText(problems, view.submit, '/view/submit', { max: LIMITS.modalTitle, optional: !hasInput });
  checkText(problems, view.close, '/view/close', { max: LIMITS.modalTitle, optional: true });
}

function checkBlock(problems: Problems, block: unknown, pointer: string): void {
  if (!isJson(block)) {
    problems.add('must be an object', pointer);
    return;
  }
  const rule = BLOCKS[String(block.type)];
  if (!rule) {
    problems.add(`unsupported type: ${block.type}`, `${pointer}/type`);
    return;
  }
  checkProperties(problems, block, pointer, ['type', 'block_id', ...rule.properties]);
  if (block.block_id !== undefined) {
    checkString(problems, block.block_id, `${pointer}/block_id`, LIMITS.id);
    const id = String(block.block_id);
    if (problems.blockIds.has(id)) problems.add(`\`block_id\` already exists: ${id}`, `${pointer}/block_id`);
    problems.blockIds.add(id);
  }
  rule.check(problems, block, pointer);
}

function checkSection(problems: Problems, block: Json, pointer: string): void {
  if (block.text === undefined && block.fields === undefined) {
    problems.add('must define either `text` or `fields`', pointer);
  }
  const text = { max: LIMITS.sectionText, types: ANY_TEXT, optional: true };
  checkText(problems, block.text, `${pointer}/text`, text);
  if (block.fields !== undefined) {
    checkItems(problems, block.fields, `${pointer}/fields`, LIMITS.sectionFields).forEach((field, i) => {
      checkText(problems, field, `${pointer}/fields/${i}`, { max: LIMITS.fieldText, types: ANY_TEXT });
    });
  }
  if (block.accessory === undefined) return;
  checkElement(problems, block.accessory, `${pointer}/accessory`, ELEMENTS_OF.accessory, new Set());
}

function checkContext(problems: Problems, block: Json, pointer: string): void {
  checkItems(problems, block.elements, `${pointer}/elements`, LIMITS.contextElements).forEach(
    (element, i) => {
      const at = `${pointer}/elements/${i}`;
      if (isJson(element) && element.type === 'image')
        checkElement(problems, element, at, ['image'], new Set());
      else checkText(problems, element, at, { max: LIMITS.sectionText, types: ANY_TEXT });
    },
  );
}

function checkActions(problems: Problems, block: Json, pointer: string): void {
  const actionIds = new Set<string>();
  checkItems(problems, block.elements, `${pointer}/elements`, LIMITS.actionsElements).forEach(
    (element, i) => {
      checkElement(problems, element, `${pointer}/elements/${i}`, ELEMENTS_OF.actions, actionIds);
    },
  );
}

function checkInput(problems: Problems, block: Json, pointer: string): void {
  checkText(problems, block.label, `${pointer}/label`, { max: LIMITS.inputLabel });
  checkText(problems, block.hint, `${pointer}/hint`, { max: LIMITS.inputLabel, optional: true });
  checkElement(problems, block.element, `${pointer}/element`, ELEMENTS_OF.input, new Set());
}

function checkImageBlock(problems: Problems, block: Json, pointer: string): void {
  checkImage(problems, block, pointer);
  checkText(problems, block.title, `${pointer}/title`, { max: LIMITS.imageText, optional: true });
}

function checkMarkdown(problems: Problems, block: Json, pointer: string): void {
  if (problems.surface !== 'message') {
    problems.add('unsupported type: markdown', `${pointer}/type`);
    return;
  }
  checkString(problems, block.text, `${pointer}/text`, LIMITS.markdownTotal);
  const before = problems.markdownChars;
  problems.markdownChars += charCount(String(block.text));
  if (before > 0 && problems.markdownChars > LIMITS.markdownTotal) {
    problems.add(
      `markdown blocks together must be less than ${LIMITS.markdownTotal + 1} characters`,
      pointer,
    );
  }
}

function checkRichText(problems: Problems, block: Json, pointer: string): void {
  checkItems(problems, block.elements, `${pointer}/elements`, Number.MAX_SAFE_INTEGER).forEach(
    (element, i) => {
      const type = isJson(element) ? String(element.type) : 'nothing';
      if (!RICH_TEXT.includes(type))
        problems.add(`unsupported type: ${type}`, `${pointer}/elements/${i}/type`);
    },
  );
}

function checkTable(problems: Problems, block: Json, pointer: string): void {
  if (block.type === 'data_table') checkDataTable(problems, block, pointer);
  else if (++problems.tableCount > 1) problems.add('only one table allowed', pointer);
  const rows = checkItems(problems, block.rows, `${pointer}/rows`, LIMITS.tableRows);
  let chars = 0;
  rows.forEach((row, i) => {
    checkItems(problems, row, `${pointer}/rows/${i}`, LIMITS.tableColumns).forEach((cell, j) => {
      const type = isJson(cell) ? String(cell.type) : 'nothing';
      const at = `${pointer}/rows/${i}/${j}`;
      if (!['raw_text', 'raw_number', 'rich_text'].includes(type))
        problems.add(`unsupported type: ${type}`, at);
      if (isJson(cell)) chars += charCount(str(cell.text) || JSON.stringify(cell.elements ?? ''));
    });
  });
  if (chars > LIMITS.tableChars)
    problems.add(`must be less than ${LIMITS.tableChars + 1} characters`, pointer);
}

function checkDataTable(problems: Problems, block: Json, pointer: string): void {
  checkString(problems, block.caption, `${pointer}/caption`, LIMITS.sectionText);
  const size = block.page_size ?? 1;
  if (!Number.isInteger(size) || Number(size) < 1 || Number(size) > LIMITS.tableRows) {
    problems.add(`must be an integer from 1 to ${LIMITS.tableRows}`, `${pointer}/page_size`);
  }
}

function checkContainer(problems: Problems, block: Json, pointer: string): void {
  if (block.title === undefined && block.rich_text_title === undefined) {
    problems.add('must define either `title` or `rich_text_title`', pointer);
  }
  const title = { max: LIMITS.containerTitle, optional: true };
  checkText(problems, block.title, `${pointer}/title`, title);
  checkText(problems, block.subtitle, `${pointer}/subtitle`, { ...title, types: ANY_TEXT });
  checkItems(problems, block.child_blocks, `${pointer}/child_blocks`, LIMITS.containerBlocks).forEach(
    (child, i) => {
      const at = `${pointer}/child_blocks/${i}`;
      if (isJson(child) && !CONTAINED.includes(String(child.type))) {
        problems.add(`unsupported type: ${child.type}`, `${at}/type`);
      } else checkBlock(problems, child, at);
    },
  );
}

function checkAlert(problems: Problems, block: Json, pointer: string): void {
  if (problems.surface !== 'modal') {
    problems.add('unsupported type: alert', `${pointer}/type`);
    return;
  }
  checkText(problems, block.text, `${pointer}/text`, { max: LIMITS.sectionText, types: ANY_TEXT });
  checkOneOf(problems, block.level, `${pointer}/level`, LEVELS);
}
