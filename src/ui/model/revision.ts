const digestPattern = /\b(?:sha1|sha256|sha384|sha512|blake3):([0-9a-f]{7})[0-9a-f]+/g;

/** A revision short enough for a row: digests keep seven digits, `main@sha1:1a2b…` becomes `main@1a2b3c4`. */
export function shortRevision(revision: string): string {
  return revision.replace(digestPattern, '$1');
}
