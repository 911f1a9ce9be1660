import type { KnownDifference } from '../knownDifference.ts';

/**
 * Upstream hashes other kinds than ConfigMap and Secret by its parser's own nodes: with comments, and with the line and
 * column of each part. The three cases are one Job, as it is, with a comment and one line further down; upstream gives them
 * three names. Plumb refuses such a hash with the line of the object.
 */
const hashes = ['hash-of-a-job', 'hash-of-a-job-comment', 'hash-of-a-job-line'];

/** Comments that stand apart from what they speak of move when upstream prints a text anew. Plumb refuses the replacement. */
const comments = ['replacement-in-text-comments-apart'];

const both = (names: readonly string[], reason: string, link: string): readonly KnownDifference[] =>
  names.flatMap((name) =>
    ['kustomize', 'flux'].map((build) => ({ case: `${name} (${build})`, reason, link })),
  );

/** Cases by name and build: `name (kustomize)`, `name (flux)`. */
export const knownDifferences: readonly KnownDifference[] = [
  ...both(
    hashes,
    'the hash depends on comments and on places that transformers take away or leave',
    'https://github.com/kubernetes-sigs/kustomize/blob/api/v0.21.1/api/hasher/hasher.go',
  ),
  ...both(
    comments,
    'where the printer puts a comment that stands by itself is not followed',
    'https://github.com/kubernetes-sigs/kustomize/blob/api/v0.21.1/api/filters/replacement/replacement.go',
  ),
];
