import type { SuiteResult } from './suite.ts';

/** A suite's result as JUnit XML, as build servers read it: red is a failure, what cannot be told an error, never a pass. */
export function junitOf({ agent, release, red, unevaluable, notApplicable, results }: SuiteResult): string {
  const suite = `portcullis cases of ${agent}, release ${release}`;
  const head = `<testsuite name="${xml(suite)}" tests="${results.length}" failures="${red}" errors="${unevaluable}" skipped="${notApplicable}">`;
  const cases = results.map(({ case: name, kind, verdict, why, says }) => {
    const open = `  <testcase classname="${xml(`${agent}.${kind}`)}" name="${xml(name)}"`;
    if (verdict === 'green') return `${open}/>`;
    const element = { red: 'failure', unevaluable: 'error', 'not-applicable': 'skipped' }[verdict];
    return `${open}>\n    <${element} message="${xml(why)}">${xml(says)}</${element}>\n  </testcase>`;
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...cases, '</testsuite>', ''].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text for XML 1.0: what it cannot hold at all is left out. */
const xml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
