import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { ManifestPath } from '../problem.ts';

/** What a text says in another way than its writer can have meant, at an offset. */
export interface Trap {
  offset: number;
  message: string;
  hint: string;
}

/** A number that is not written as it is read, such as `1.0` or `12e3`: harmless where a number is meant. */
export interface Respelled {
  path: ManifestPath;
  offset: number;
  written: string;
}

/** Other readers of YAML take these for other numbers, or for text. */
const AMBIGUOUS = /^[-+]?(?:0\d|0x|0o|\.?(?:inf|nan))/i;
const KNOWN_TAGS = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

/** Everything in a document that YAML would quietly change, drop or read twice. */
export function findTraps(document: Document): Trap[] {
  const traps: Trap[] = [];
  const add = (node: Node | null | undefined, message: string, hint: string): void => {
    traps.push({ offset: node?.range?.[0] ?? 0, message, hint });
  };
  if (document.directives?.yaml.version !== '1.2')
    add(document.contents, 'This is YAML 1.1, where yes, no and 010 are no text', 'Leave the line %YAML out');
  visit(document, (key, node, path) => {
    if (isAlias(node)) {
      if (path.some((above) => above === resolved(node, document)))
        add(node, 'This alias stands inside of what it stands for', 'Write the value out');
      return;
    }
    if (!isNode(node)) return;
    if (node.tag !== undefined && !KNOWN_TAGS.test(node.tag))
      add(node, `The tag ${node.tag} is not known here`, 'Leave the tag out');
    if (isMap(node)) keyTraps(node, document, add);
    if (key !== 'key' && isPlainNumber(node) && isAmbiguous(node)) add(node, ...numberWords(node));
  });
  return traps;
}

type Add = (node: Node | null | undefined, message: string, hint: string) => void;

function keyTraps(map: YAMLMap, document: Document, add: Add): void {
  const names = new Set<string>();
  for (const { key } of map.items as Pair<Node | null, Node | null>[]) {
    const node = isAlias(key) ? resolved(key, document) : key;
    if (!isScalar(node)) {
      add(key ?? map, 'Only text can be a key here', 'Write one word, or text in quotes');
      continue;
    }
    const name = node.value === null ? '' : String(node.value);
    if (names.has(name)) add(key, `The key "${name}" stands here twice`, 'Keep one of the two');
    names.add(name);
    if (node.type !== Scalar.PLAIN) continue;
    if (node.source === '<<')
      add(
        key,
        '"<<" is no merge here: it would stay a key, and what it stands for would be missing',
        'Write the members out',
      );
    else if (typeof node.value !== 'string' && node.source !== name)
      add(
        key,
        `The key ${node.source} is read as ${name === '' ? 'nothing' : name}`,
        `Put it in quotes: "${node.source}"`,
      );
  }
}

const resolved = (node: Alias, document: Document): Node | undefined => node.resolve(document);

type NumberNode = Scalar<number> & { source: string };

const isPlainNumber = (node: unknown): node is NumberNode =>
  isScalar(node) && node.type === Scalar.PLAIN && typeof node.value === 'number' && node.source !== undefined;

/** Numbers that other readers take for something else, and those that lose digits. */
function isAmbiguous({ value, source }: NumberNode): boolean {
  if (AMBIGUOUS.test(source)) return true;
  return digitsOf(source) !== digitsOf(String(value));
}

const numberWords = ({ value, source }: NumberNode): [message: string, hint: string] => [
  `${source} is read as the number ${value}`,
  `Put it in quotes: "${source}"`,
];

/** The digits of a decimal number, without its point, exponent and outer zeros. */
const digitsOf = (text: string): string =>
  text
    .replace(/^[-+]/, '')
    .replace(/e.*$/i, '')
    .replace('.', '')
    .replace(/^0+|0+$/g, '');

/** The plain numbers that are not written as they are read, with where they stand. */
export function respelledIn(
  document: Document,
  given = document.contents,
  path: ManifestPath = [],
): Respelled[] {
  const node = isAlias(given) ? resolved(given, document) : given;
  if (isPlainNumber(node)) {
    if (node.source === String(node.value)) return [];
    return [{ path, offset: node.range?.[0] ?? 0, written: node.source }];
  }
  if (isSeq(node))
    return node.items.flatMap((item, at) => respelledIn(document, item as Node, [...path, at]));
  if (!isMap(node)) return [];
  return (node.items as Pair<Node, Node | null>[]).flatMap(({ key, value }) =>
    isScalar(key) ? respelledIn(document, value, [...path, String(key.value)]) : [],
  );
}
