import assert from 'node:assert/strict';

/** A case where we knowingly differ from upstream, and why. The suite fails once the difference is gone. */
export interface KnownDifference {
  readonly case: string;
  readonly reason: string;
  /** Where it is argued or tracked: an ADR, an upstream issue, or the contract section. */
  readonly link: string;
}

/** Compares a result with the golden one; a listed difference must be there, any other must not. */
export function checkAgainstGolden(
  name: string,
  known: readonly KnownDifference[],
  actual: unknown,
  golden: unknown,
): void {
  const difference = known.find((entry) => entry.case === name);
  if (difference === undefined) {
    assert.deepEqual(actual, golden);
    return;
  }
  assert.notDeepEqual(
    actual,
    golden,
    `${name} equals upstream now: remove it from knownDifferences.ts (${difference.reason})`,
  );
}

/** Every listed difference names a case, once. */
export function checkDifferencesAreCases(known: readonly KnownDifference[], cases: readonly string[]): void {
  const names = known.map((entry) => entry.case);
  assert.deepEqual(
    names.filter((name, index) => !cases.includes(name) || names.indexOf(name) !== index),
    [],
    'knownDifferences.ts names something that is no case, or twice',
  );
}
