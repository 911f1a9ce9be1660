import { plumbError, type PlumbError } from '../../base/plumbError.ts';

/** A comment of a file; `isInline` when it stands behind a value on its line. */
export interface SopsComment {
  readonly kind: 'comment';
  readonly value: string;
  readonly isInline: boolean;
}

/** A moment, as Go's time.Time writes it (RFC 3339 with up to nine digits). */
export interface SopsTime {
  readonly kind: 'time';
  readonly text: string;
}

/** One member of a mapping, or a comment between members. */
export interface SopsItem {
  readonly key: string | SopsComment;
  readonly value: SopsValue;
}

/** A mapping in the order of its file. */
export interface SopsMap {
  readonly kind: 'map';
  readonly items: readonly SopsItem[];
}

/**
 * What SOPS knows of a file's values: text, whole numbers (bigint), floats (number), truth, moments, nothing, lists,
 * mappings. The kind counts: it is part of what is encrypted, and the MAC covers the text that each kind has.
 */
export type SopsValue =
  string | bigint | number | boolean | null | SopsTime | SopsComment | SopsMap | readonly SopsValue[];

/** A value that holds no others. */
export type SopsLeaf = Exclude<SopsValue, null | SopsMap | readonly SopsValue[]>;

/** The documents of a file; only YAML has more than one. */
export type SopsDocuments = readonly SopsMap[];

export function sopsMap(items: readonly SopsItem[]): SopsMap {
  return { kind: 'map', items };
}

export function isSopsMap(value: SopsValue | undefined): value is SopsMap {
  return isTagged(value) && value.kind === 'map';
}

export function isSopsComment(value: SopsValue | undefined): value is SopsComment {
  return isTagged(value) && value.kind === 'comment';
}

export function isSopsTime(value: SopsValue | undefined): value is SopsTime {
  return isTagged(value) && value.kind === 'time';
}

/** The first member of that name; undefined when there is none. */
export function memberOf(map: SopsMap, name: string): SopsValue | undefined {
  return map.items.find(({ key }) => key === name)?.value;
}

/** What can be wrong with a file, its keys or its values. Messages never hold a value. */
export function decryptionError(message: string, hint?: string): PlumbError {
  return plumbError('DecryptionFailed', { message, ...(hint !== undefined && { hint }) });
}

function isTagged(value: SopsValue | undefined): value is SopsMap | SopsComment | SopsTime {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A leaf, where it stands and the comments in force there, one list per level of nesting. */
export interface LeafPlace {
  readonly path: readonly string[];
  readonly comments: readonly (readonly string[])[];
}

export type OnLeaf = (leaf: SopsLeaf, place: LeafPlace) => SopsValue;

/**
 * The documents with every leaf replaced, in the order in which SOPS walks a file. Nulls stay. A comment may become
 * text (its encrypted form), which is kept as a comment: in lists upstream makes it an item, and then finds that its
 * own MAC does not match.
 */
export function walkDocuments(documents: SopsDocuments, onLeaf: OnLeaf): SopsDocuments {
  return documents.map((document) => walkMap(document, [], [], onLeaf));
}

function walkValue(
  value: SopsValue,
  path: readonly string[],
  comments: readonly string[][],
  onLeaf: OnLeaf,
): SopsValue {
  if (value === null) return null;
  if (isSopsMap(value)) return walkMap(value, path, comments, onLeaf);
  if (Array.isArray(value)) return walkList(value as readonly SopsValue[], path, comments, onLeaf);
  return onLeaf(value as SopsLeaf, { path, comments });
}

function walkList(
  list: readonly SopsValue[],
  path: readonly string[],
  outer: readonly string[][],
  onLeaf: OnLeaf,
): SopsValue[] {
  let active: string[] = [];
  return list.map((value) => {
    if (isSopsComment(value)) {
      active = [...active, value.value];
      return commentOf(value, walkValue(value, path, [...outer, active], onLeaf));
    }
    const walked = walkValue(value, path, [...outer, active], onLeaf);
    active = [];
    return walked;
  });
}

function walkMap(map: SopsMap, path: readonly string[], outer: readonly string[][], onLeaf: OnLeaf): SopsMap {
  let active: string[] = [];
  const items = map.items.map(({ key, value }): SopsItem => {
    if (typeof key !== 'string') {
      active = [...active, key.value];
      return { key: commentOf(key, onLeaf(key, { path, comments: [...outer, active] })), value: null };
    }
    const walked = walkValue(value, [...path, key], [...outer, active], onLeaf);
    active = [];
    return { key, value: walked };
  });
  return sopsMap(items);
}

function commentOf(before: SopsComment, after: SopsValue): SopsComment {
  if (typeof after === 'string') return { kind: 'comment', value: after, isInline: before.isInline };
  return isSopsComment(after) ? after : before;
}
