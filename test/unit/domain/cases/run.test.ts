import { describe, expect, test } from 'vitest';
import { runCase } from '../../../../src/domain/cases/run.ts';
import { runSuite, suitePasses } from '../../../../src/domain/cases/suite.ts';
import { caseWorld } from '../../../../src/domain/cases/world.ts';
import { formatProblems, readCase, readCaseValue } from '../../../../src/domain/manifest/manifest.ts';
import { airline, airlineCases, airlineRelease, caseOf, rawCase } from './given.ts';

const world = caseWorld(airline, airlineRelease(3));
const told = (text: string) => {
  const read = readCase('cases/one.yaml', text);
  return read.ok ? 'valid' : formatProblems(read.problems);
};
const problemsOf = (changed: Record<string, unknown>) => {
  const read = readCaseValue(rawCase(changed));
  return read.ok ? [] : read.problems.map(({ message }) => message);
};

describe('readCase()', () => {
  test('an unknown field is refused by file and line, with what was meant', () => {
    const text = 'case: one\nagent: a\nkind: ask\nsays: no\ngiven:\n  toll: x\nexpect: { atMost: ask }\n';
    expect(told(text)).toContain('cases/one.yaml:6');
    expect(told(text)).toMatch(/Unknown key "toll"[^\n]*\n?[^\n]*tool/);
  });

  test.each([
    ['a floor without a twin', { expect: { atLeast: 'ask' } }, 'It forbids something and has no twin'],
    ['nothing expected', { expect: {} }, 'Nothing is expected of it'],
    ['the expectation of another kind', { expect: { atMost: 'ask', shows: ['x'] } }, 'cannot expect shows'],
    [
      'a floor above its ceiling',
      { expect: { atLeast: 'deny', atMost: 'ask' }, twins: ['x'] },
      'Nothing is at least',
    ],
    ['itself as a twin', { twins: ['one'] }, 'not its own twin'],
    ['a kind without an entrance', { kind: 'entrance' }, 'cannot be "entrance"'],
    ['an answer of no kind', { expect: { atMost: 'maybe' } }, '"atMost"'],
    [
      'steps that begin what nobody asked',
      { kind: 'sequence', given: { steps: [{ do: 'begin', action: 'x' }] }, expect: {} },
      'No step before it asks',
    ],
    [
      'too many steps',
      { kind: 'sequence', given: { steps: Array(51).fill({ do: 'rollback' }) }, expect: {} },
      'too large',
    ],
  ])('refuses %s', (_, changed, message) => {
    expect(problemsOf(changed).join('\n')).toContain(message);
  });

  test('a hostile size is refused before it is parsed', () => {
    expect(told(`case: one\n# ${'x'.repeat(200_000)}`)).toContain('The case has 200');
  });
});

describe('runCase()', () => {
  const given = (more: object) => ({
    tool: 'cancel_reservation',
    args: { reservation_id: 'AAA111' },
    attributes: { tier: 'silver', test_group: true, cancellable: '' },
    ...more,
  });
  const verdict = (changed: Record<string, unknown>, at = world) => runCase(caseOf(changed), at).verdict;
  const floor = { expect: { atLeast: 'deny' }, twins: ['other'] };

  test('a denial because the question could not be put is no floor, unless the case names it', () => {
    const misfit = given({ args: {} });
    expect(verdict({ given: misfit, ...floor })).toBe('unevaluable');
    expect(verdict({ given: misfit, ...floor, expect: { atLeast: 'deny', reasons: ['args_invalid'] } })).toBe(
      'green',
    );
    expect(verdict({ given: given({ attributes: {} }), ...floor })).toBe('unevaluable');
  });

  test('a rule that errs on it is unevaluable, and so is a suite of it', () => {
    const release = structuredClone(airlineRelease(3));
    const cancel = release.grants[2];
    if (cancel) cancel.when = 'args.reservation_id.split("-")[1] == "X"';
    const erring = caseWorld(airline, release);
    expect(verdict(floor, erring)).toBe('unevaluable');
    const suite = runSuite({ agent: airline, release }, airlineCases());
    expect(suite.unevaluable).toBeGreaterThan(0);
    expect(suitePasses(suite)).toBe(false);
  });

  test('another reason than the one that is named is unevaluable', () => {
    const expected = { atMost: 'ask', reasons: ['approved_by_rule'] };
    expect(verdict({ given: given({}), expect: expected })).toBe('unevaluable');
  });

  test('a removed tool and a tool without a grant do not apply; another agent cannot be told', () => {
    const release = { ...airlineRelease(3), grants: airlineRelease(3).grants.slice(0, 1) };
    expect(verdict({}, caseWorld(airline, release))).toBe('not-applicable');
    const { cancel_reservation: _, ...tools } = airline.tools;
    expect(verdict({}, caseWorld({ ...airline, tools }, airlineRelease(3)))).toBe('not-applicable');
    expect(verdict({ agent: 'other' })).toBe('unevaluable');
  });

  test('limits, expiry and edits of a sequence are those of begin', () => {
    const release = structuredClone(airlineRelease(2));
    for (const grant of release.grants) grant.limits = { perHour: 1 };
    const limited = caseWorld(airline, release);
    const ask = (action: string, tool = 'cancel_reservation') => ({ do: 'ask', action, ...given({ tool }) });
    const run = (...steps: object[]) =>
      runCase(caseOf({ kind: 'sequence', given: { steps }, expect: {}, twins: ['other'] }), limited);
    const begin = (action: string, more: object) => ({ do: 'begin', action, ...more });
    const one = [ask('a'), begin('a', { begun: true }), ask('b'), begin('b', { refused: 'limit_reached' })];
    expect(run(...one)).toMatchObject({ verdict: 'green' });
    expect(run(...one, { do: 'wait', for: '59m' }, ask('c'), begin('c', { begun: true }))).toMatchObject({
      verdict: 'red',
    });
    expect(run(...one, { do: 'wait', for: '62m' }, ask('c'), begin('c', { begun: true }))).toMatchObject({
      verdict: 'green',
    });
    expect(run(ask('a'), { do: 'wait', for: '2m' }, begin('a', { refused: 'too_late' }))).toMatchObject({
      verdict: 'green',
    });
    expect(run(ask('a'), { do: 'wait', for: '2m' }, begin('a', { refused: 'stopped' }))).toMatchObject({
      verdict: 'unevaluable',
    });
  });
});

describe('runSuite()', () => {
  const release = airlineRelease(3);
  const cases = airlineCases();

  test('a case that vanished is red, one whose tool left is listed', () => {
    const before = runSuite({ agent: airline, release }, cases).results;
    const fewer = cases.filter(({ case: name }) => name !== 'cancel-unvouched');
    const gone = runSuite({ agent: airline, release, before }, fewer);
    expect(gone.results.filter(({ verdict }) => verdict === 'red').map((one) => one.case)).toEqual([
      'cancel-unvouched',
    ]);
    const grants = release.grants.filter(({ tool }) => tool !== 'send_certificate');
    const left = runSuite({ agent: airline, release: { ...release, grants }, before }, cases);
    expect(left.becameNotApplicable).toContain('certificate-unasked');
  });

  test('a floor whose twin is missing cannot be told, and nothing run is no pass', () => {
    const alone = cases.filter(({ case: name }) => name === 'cancel-unvouched');
    const suite = runSuite({ agent: airline, release }, alone);
    expect(suite).toMatchObject({ green: 0, unevaluable: 1 });
    expect(suitePasses(runSuite({ agent: airline, release }, []))).toBe(false);
  });

  test('denying everything is red: the twins say so', () => {
    const grants = release.grants.map((grant) => ({ ...grant, deny: 'Nothing goes' }));
    const { results } = runSuite({ agent: airline, release: { ...release, grants } }, cases);
    expect(results.find((one) => one.case === 'cancel-vouched')?.verdict).toBe('red');
  });
});
