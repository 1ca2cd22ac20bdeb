import type { FastifyInstance } from 'fastify';
import { type Answer, call } from '../../support/api.ts';
import type { GivenToken } from '../../support/fixtures.ts';

const ORIGIN = { origin: 'http://portcullis.test' };
const TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

/** One form of a page, with its fields as a browser would send them untouched. */
export interface Form {
  action: string;
  html: string;
  fields: readonly (readonly [string, string])[];
}

/** What somebody types and presses; a list: the same field several times, as boxes are ticked. */
export type Typed = Readonly<Record<string, string | readonly string[]>>;

/** A browser without a script, in which somebody is signed in. */
export interface Browser {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Presses the button of a page, having typed something; line breaks go out as browsers send them. */
  send(page: Answer, button: string, typed?: Typed, headers?: Record<string, string>): Promise<Answer>;
  /** The page that a redirect leads to. */
  follow(answer: Answer): Promise<Answer>;
}

/** Signs in by pasting the token. */
export async function openBrowser(app: FastifyInstance, { token }: GivenToken): Promise<Browser> {
  const body = new URLSearchParams({ token, next: '/' }).toString();
  const signedIn = await call(app, 'POST /login', { headers: { ...TYPE, ...ORIGIN }, body });
  const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
  const get = (path: string, headers = {}) => call(app, `GET ${path}`, { headers: { cookie, ...headers } });
  return {
    get,
    follow: (answer) => get(String(answer.headers.location)),
    send: (page, button, typed = {}, headers = {}) => {
      const form = formOf(page, button);
      const all = { ...TYPE, ...ORIGIN, cookie, ...headers };
      return call(app, `POST ${form.action}`, { headers: all, body: bodyOf(form, typed) });
    },
  };
}

/** The one form that has the button. @throws Error when there is none, or more than one */
export function formOf({ text }: Answer, button: string): Form {
  const forms = [...text.matchAll(/<form[^>]*\saction="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)]
    .map(([, action = '', html = '']) => ({ action, html }))
    .filter(({ html }) => html.includes(`>${button}</button>`));
  const [form] = forms;
  if (!form || forms.length > 1) throw new Error(`${forms.length} forms have the button "${button}"`);
  return { ...form, fields: fieldsOf(form.html) };
}

/** What a person reads. */
export const plain = (html: string): string => unescaped(html.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');

function fieldsOf(html: string): [string, string][] {
  const inputs = [...html.matchAll(/<input[^>]*>/g)].flatMap(([tag]): [string, string][] =>
    tag.includes('type="checkbox"') ? [] : [[attribute(tag, 'name'), attribute(tag, 'value')]],
  );
  const texts = [...html.matchAll(/(<textarea[^>]*>)([\s\S]*?)<\/textarea>/g)].map(
    ([, tag = '', value = '']): [string, string] => [attribute(tag, 'name'), unescaped(value)],
  );
  const selects = [...html.matchAll(/(<select[^>]*>)[\s\S]*?<option value="([^"]*)"/g)].map(
    ([, tag = '', value = '']): [string, string] => [attribute(tag, 'name'), unescaped(value)],
  );
  return [...inputs, ...texts, ...selects];
}

function bodyOf({ fields }: Form, typed: Typed): string {
  const sent = [
    ...fields.filter(([name]) => !Object.hasOwn(typed, name)),
    ...Object.entries(typed).flatMap(([name, values]) =>
      [values].flat().map((value) => [name, value] as const),
    ),
  ];
  const params = new URLSearchParams();
  for (const [name, value] of sent) params.append(name, value.replace(/\r?\n/g, '\r\n'));
  return params.toString();
}

const attribute = (tag: string, name: string): string =>
  unescaped(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '');

const CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => CHARACTERS[name] ?? '');
