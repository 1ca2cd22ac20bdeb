/**
 * What the conformance data of the Common Expression Language holds and `apply` refuses here, each with its reason. A
 * case that is not refused with one of these words must give the suite's answer.
 */
export const REFUSED_CONDITIONS: readonly { says: RegExp; why: string }[] = [
  {
    says: /'\{'|got LBRACE$|^There is no type messageType|GlobalEnum|NestedEnum|TestAllTypes|^"google"/,
    why: 'Protocol buffers: arguments are JSON, which has neither messages nor enums',
  },
  { says: /^A variable holds no value/, why: 'Protocol buffers: no argument is ever a message' },
  { says: /^A function cannot be declared/, why: 'Conditions use the functions that are there' },
  { says: /^There are no containers/, why: 'Names are short here: there is nothing to resolve them in' },
  { says: /^Unsigned numbers|uint/, why: 'JSON has no unsigned numbers: arguments are int or double' },
  { says: /^Bytes|bytes|^Unexpected character: ['"]/, why: 'JSON has no bytes' },
  {
    says: /QUESTION$|function (of|none|orValue|hasValue|value)\(\)|optional</,
    why: 'Optional values are not offered: has() asks for a member first',
  },
  {
    says: /function (format|quote|replace|charAt|decode|encode|block)\(\)/,
    why: 'An extension of texts, encodings or blocks that is not offered',
  },
  {
    says: /function (least|greatest|sign|round|abs|ceil|floor|trunc|isNaN|isInf|isFinite|bit[A-Z]\w+)\(\)/,
    why: 'The extension of mathematics is not offered',
  },
  {
    says: /function (existsOne|transformList|transformMap)\(\)|^Unknown variable: [ik]$|iteration variable$/,
    why: 'Walks with two variables are not offered',
  },
  {
    says: /^(matches\(\)|cel\.bind\(\)|A list walk inside a list walk)/,
    why: 'It could take time without bound',
  },
  { says: /^Exceeded maxDepth/, why: 'Nobody can read a condition that is nested so deep' },
  {
    says: /^(no such overload|found no matching overload|Logical operator|Ternary|Cannot index|has\(\) invalid)/,
    why: 'The types do not go together: that is told before anything runs',
  },
  {
    says: /^(List elements must have|Map (key|value) uses)/,
    why: 'Lists and maps hold values of one type: a mixed one is a slip in a gate',
  },
  {
    says: /function (as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while|f_unknown)\(\)/,
    why: 'There is no such function, which the suite says too',
  },
  {
    says: /^("(a|x|dyn)" is not known here|Unexpected token: DOT|Unexpected character: |Unknown type: null_type)/,
    why: 'Names are single words: neither dotted, nor quoted, nor absolute',
  },
  { says: /^The condition cannot be read/, why: 'What an empty list holds, the type check cannot tell' },
];
