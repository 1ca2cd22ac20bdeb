import { asSchema, type JsonSchema } from './json-schema.ts';
import { type Draft, type Subschema, subschemasOf } from './keywords.ts';

export type SchemaPath = readonly (string | number)[];

/** One schema in a document: where it stands, and the base of its references. */
export interface Place {
  schema: unknown;
  path: SchemaPath;
  base: string;
}

/** A subschema, what it speaks about, and its place. */
export interface Inner extends Subschema {
  place: Place;
}

const NO_BASE = 'schema:/';
const DEPTH_MAX = 64;
const PLACES_MAX = 20_000;

/** A document is nested too deep, or unfolds to more schemas than anybody wrote. */
export class TooLarge extends Error {}

/**
 * Every schema of one document by its place, and what references lead to. Nothing outside the document is known:
 * schemas are never fetched.
 */
export class SchemaIndex {
  readonly #places = new Map<string, Place>();
  /** The paths of schemas that have a name of their own. */
  readonly #byUri = new Map<string, SchemaPath>();
  readonly #inner = new Map<Place, readonly Inner[]>();
  readonly root: Place;

  /** @throws TooLarge */
  constructor(
    root: JsonSchema | boolean,
    readonly draft: Draft,
  ) {
    this.root = this.#add({ schema: root, path: [], base: NO_BASE });
  }

  /** Every schema of the document. */
  places(): IterableIterator<Place> {
    return this.#places.values();
  }

  /** The subschemas of a schema, each with its place. */
  inside(place: Place): readonly Inner[] {
    return this.#inner.get(place) ?? [];
  }

  /** Where a reference in a schema leads; nothing when that is not a schema of this document. */
  target(from: Place, reference: string): Place | undefined {
    const uri = absolute(reference, from.base);
    if (uri === undefined) return undefined;
    const known = this.#byUri.get(uri);
    if (known) return this.#places.get(keyOf(known));
    const hash = uri.indexOf('#');
    const resource = this.#byUri.get(hash < 0 ? uri : uri.slice(0, hash));
    const fragment = hash < 0 ? '' : uri.slice(hash + 1);
    if (resource === undefined || (fragment !== '' && !fragment.startsWith('/'))) return undefined;
    const steps = fragment.split('/').slice(1).map(unescaped);
    return steps.includes(undefined)
      ? undefined
      : this.#places.get(keyOf([...resource, ...(steps as string[])]));
  }

  #add(found: Place): Place {
    const place = { ...found, base: this.#identify(found) };
    if (place.path.length > DEPTH_MAX || this.#places.size >= PLACES_MAX)
      throw new TooLarge('the schema is nested too deep, or too large');
    this.#places.set(keyOf(place.path), place);
    if (place.path.length === 0) this.#name(place.base, place.path);
    const schema = asSchema(place.schema);
    if (schema === undefined) return place;
    const inner = subschemasOf(schema, this.draft).map((one) => {
      const path = [...place.path, ...one.path];
      return { ...one, place: this.#add({ schema: one.schema, path, base: place.base }) };
    });
    this.#inner.set(place, inner);
    return place;
  }

  /** The base of what stands in the schema; its names are noted. */
  #identify({ schema: given, path, base }: Place): string {
    const schema = asSchema(given);
    if (schema === undefined) return base;
    // Beside a $ref, draft 7 sees nothing.
    const id = this.draft === '7' && '$ref' in schema ? undefined : schema.$id;
    let own = base;
    if (typeof id === 'string' && id.startsWith('#')) this.#name(`${base}${id}`, path);
    else if (typeof id === 'string') {
      own = withoutHash(absolute(id, base) ?? base);
      this.#name(own, path);
    }
    if (typeof schema.$anchor === 'string') this.#name(`${own}#${schema.$anchor}`, path);
    return own;
  }

  #name(uri: string, path: SchemaPath): void {
    if (!this.#byUri.has(uri)) this.#byUri.set(uri, path);
  }
}

const keyOf = (path: SchemaPath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const withoutHash = (uri: string): string => uri.replace(/#.*$/, '');

function absolute(reference: string, base: string): string | undefined {
  if (reference === '' || reference === '#') return base;
  if (reference.startsWith('#')) return `${base}${reference}`;
  try {
    const uri = new URL(reference, base).href;
    return uri.endsWith('#') ? uri.slice(0, -1) : uri;
  } catch {
    return undefined;
  }
}

function unescaped(token: string): string | undefined {
  try {
    return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
