import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editableJson } from '../../../src/api/pages/answer-forms.ts';
import { escapeHtml, html, visible } from '../../../src/api/pages/html.ts';

/** What shows as nothing or turns the text around it; a line break is neither. */
const UNSEEN = /[^\n\P{C}]|[\u2028\u2029\u115F\u1160\u2800\u3164\uFFA0]|\u034F/u;

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<',
        '>',
        '&',
        '"',
        "'",
        '\u202E',
        '\u200B',
        '\u2028',
        '\0',
        '\r',
        '\n',
        '\u{E0041}',
        'a',
      ),
    )
    .map((parts) => parts.join('')),
);

test('nothing put into a page becomes markup, ends an attribute or hides', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const page = html`<p title="${text}">${text}</p>`.text;
      const inside = page.slice('<p title="'.length, -'</p>'.length);
      expect(inside.replace('">', '')).not.toMatch(/[<>"']/);
      expect(visible(text).replace(/\p{Cn}|\p{Co}/gu, '')).not.toMatch(UNSEEN);
      expect(escapeHtml(text)).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    }),
  );
});

test('arguments in a form are read back as they were, and nothing in them is unseen', () => {
  const args = fc.dictionary(
    hostile.filter((key) => key !== '__proto__'),
    fc.jsonValue().filter((value) => !JSON.stringify(value).includes('-0')),
  );
  fc.assert(
    fc.property(args, hostile, (object, text) => {
      const all = { ...object, text };
      const shown = editableJson(all);
      expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(all)));
      // A browser would send each of its line breaks as two characters, which JSON takes as well.
      expect(JSON.parse(shown.replaceAll('\n', '\r\n'))).toEqual(JSON.parse(shown));
      expect(shown.replace(/\p{Cn}|\p{Co}/gu, '')).not.toMatch(UNSEEN);
    }),
  );
});

test('markup stays markup, lists are joined, and what is not there leaves nothing', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  expect(html`<ul>${items}</ul>${undefined}${false}${0}`.text).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul>0');
});
