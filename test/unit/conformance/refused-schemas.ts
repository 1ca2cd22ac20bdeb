/**
 * What the official JSON-Schema-Test-Suite holds and Portcullis refuses, each with its reason: a schema listed here is
 * refused by `compileSchema` with these words. One that is not listed must answer every case as the suite says.
 */
export const REFUSED_SCHEMAS: readonly { says: RegExp; why: string }[] = [
  {
    says: /^"\$dynamic(Ref|Anchor)" is not a keyword/,
    why: 'Where it leads is known only while validating: redaction and apply could not follow it',
  },
  { says: /leads to nothing in this schema$/, why: 'Other documents are never fetched' },
  { says: /^Only draft 2020-12 and draft 7/, why: 'A dialect that is not known cannot be enforced' },
  {
    says: /^"content(Encoding|MediaType|Schema)" is not a keyword/,
    why: 'It is a note that looks like a check',
  },
  {
    says: /^Format "(idn-email|idn-hostname|iri|iri-reference)" is not known/,
    why: 'What cannot be checked completely is not called checked',
  },
  { says: /^Format "unknown" is not known/, why: 'An unknown format would bind nobody' },
  { says: /^"dependencies" is not a keyword/, why: 'Draft 2020-12 does not have it' },
  {
    says: /^"(unknown-keyword|array_of_schemas|object_of_schemas)" is not a keyword/,
    why: 'An unknown keyword would bind nobody',
  },
];

/** Cases that are answered in another way, on purpose. */
export const OTHER_ANSWERS: readonly { file: string; cases: RegExp; why: string }[] = [
  {
    file: 'format.json',
    cases: /^invalid .* string is only an annotation by default$/,
    why: 'Formats are enforced here; format/*.json holds the cases that are right then',
  },
  {
    file: 'email.json',
    cases: /^a quoted string with .* in the local part is valid$/,
    why: 'A quoted local part may hold what other readers take for a separator of addresses',
  },
  {
    file: 'email.json',
    cases: /^an IPv[46]-address-literal after the @ is valid$/,
    why: 'No mailbox of people is addressed so, and a check of the domain would not see it',
  },
];
