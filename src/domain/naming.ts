import { addressParser } from 'postal-mime';
import type { Agent } from './agent.ts';
import { withoutUnseen } from './unseen.ts';

type People = Pick<Agent, 'people'>;

/** The ways in which a text may name somebody, folded. */
interface Spelled {
  /** All of them: ids, names, accounts, addresses. */
  keys: readonly string[];
  /** Of these the addresses. */
  addresses: readonly string[];
}

/** What every way to name each person of an agent comes down to: the gate compares these with `namedKeys`. */
export const personKeys = (agent: People): Record<string, string[]> =>
  Object.fromEntries(Object.keys(agent.people).map((person) => [person, keysOf(agent, person)]));

/** What everybody named in these texts comes down to, in whatever way the name is written. */
export const namedKeys = (named: readonly string[]): string[] => [
  ...new Set(spelledAll(named).flatMap(({ keys }) => keys)),
];

/** What one name comes down to that is nothing but a name, such as that of whoever asked. */
export const nameKey = (name: string): string => fold(bareName(name.normalize('NFKC')));

/** Whether any of these texts names this person of the agent: by id, name, e-mail address or Slack account. */
export function isNamed(agent: People, person: string, named: readonly string[]): boolean {
  const keys = keysOf(agent, person);
  return spelledAll(named).some((spelled) => spelled.keys.some((key) => keys.includes(key)));
}

/** Whether this person of the agent is the one of this name. */
export const isSame = (agent: People, person: string, name: string): boolean =>
  keysOf(agent, person).includes(nameKey(name));

/** Those that mean nobody of the agent, or name an address that is nobody's: who that is, nobody can tell. */
export function namingNobody(agent: People, named: readonly string[]): string[] {
  if (named.length === 0) return [];
  const all = new Set(Object.values(personKeys(agent)).flat());
  return spelledAll(named).flatMap(({ keys, addresses }, index) => {
    const isKnown = keys.some((key) => all.has(key)) && addresses.every((address) => all.has(address));
    return isKnown ? [] : [named[index] ?? ''];
  });
}

/** The one person whom a text names; `undefined`: nobody, or it may be several. */
export function personNamed(agent: People, named: string): string | undefined {
  const found = Object.keys(agent.people).filter((person) => isNamed(agent, person, [named]));
  return found.length === 1 ? found[0] : undefined;
}

/** Folded once for a manifest: everybody of a group is compared. */
function keysOf({ people }: People, person: string): string[] {
  const folded = keysBefore.get(people) ?? new Map<string, string[]>();
  keysBefore.set(people, folded);
  const keys = folded.get(person) ?? foldKeys({ people }, person);
  folded.set(person, keys);
  return keys;
}

function foldKeys(agent: People, person: string): string[] {
  const known = Object.hasOwn(agent.people, person) ? agent.people[person] : undefined;
  const [user, team] = (known?.slack ?? '').split('/');
  const account = user && team ? [user, `${user}/${team}`, `${team}/${user}`] : [];
  const names = [person, known?.name, ...account].flatMap((name) => (name === undefined ? [] : [fold(name)]));
  return [...new Set([...names, ...(known?.email ? [foldAddress(known.email)] : [])])];
}

const keysBefore = new WeakMap<People['people'], Map<string, string[]>>();
const spelledBefore = new WeakMap<readonly string[], Spelled[]>();

/** Parsed once for a list: everybody of a group is compared with it. */
function spelledAll(named: readonly string[]): Spelled[] {
  const known = spelledBefore.get(named);
  if (known) return known;
  const spelled = named.map(spelledIn);
  spelledBefore.set(named, spelled);
  return spelled;
}

function spelledIn(named: string): Spelled {
  const text = withoutUnseen(named.normalize('NFKC'));
  const bare = bareName(text);
  // Comments may hold the address: "Ana (ana@example.com)".
  const parsed = addressesIn(bare.replace(/[()[\]]/g, ','));
  const addresses = parsed.addresses.map(foldAddress);
  const names = [text, bare, ...parsed.names].map(fold).filter((key) => key !== '');
  return { keys: [...new Set([...names, ...addresses])], addresses };
}

/** Without what mentions, links and handles put around a name: `<@U0ANA|ana>`, `mailto:`, `slack:`, `@ana`. */
const bareName = (text: string): string =>
  text
    .trim()
    .replace(/^<(?:@|mailto:)([^|>]+)(?:\|[^>]*)?>$/i, '$1')
    .replace(/^mailto:([^?]*).*$/i, '$1')
    .replace(/^(?:slack|user|person):/i, '')
    .replace(/^@/, '');

function addressesIn(text: string): { names: string[]; addresses: string[] } {
  const names: string[] = [];
  const addresses: string[] = [];
  for (const { name = '', address = '' } of addressParser(text, { flatten: true })) {
    if (/[^@]@[^@]/.test(address)) addresses.push(address);
    else names.push(address);
    // What is left of a list without commas.
    const more = name.split(/\s+/).filter((word) => /[^@]@[^@]/.test(word));
    if (more.length > 0) addresses.push(...more);
    else names.push(name);
  }
  return { names, addresses };
}

/** Two texts that people read as the same name. Upper case first: it also folds what has no lower case of its own. */
const fold = (text: string): string =>
  withoutUnseen(text.normalize('NFKC')).trim().toUpperCase().toLowerCase().normalize('NFKC');

const GMAIL = ['gmail.com', 'googlemail.com'];

/** As mail systems deliver it: case, subaddress, spelling of the host and Gmail's dots make no other mailbox. */
function foldAddress(address: string): string {
  const folded = fold(address);
  const at = folded.lastIndexOf('@');
  const host = hostOf(folded.slice(at + 1));
  const local = folded
    .slice(0, at)
    .replace(/^"(.*)"$/, '$1')
    .replace(/(?<=.)\+.*$/, '');
  return GMAIL.includes(host) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${host}`;
}

function hostOf(text: string): string {
  const url = `http://${text.trim().replace(/\.$/, '')}`;
  return URL.canParse(url) ? new URL(url).hostname : text;
}
