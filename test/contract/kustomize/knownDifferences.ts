import type { KnownDifference } from '../knownDifference.ts';

const rewrittenRoot = {
  reason:
    'Flux re-reads the root file with Go types: keys in any case, numbers and bools as text where text is wanted',
  link: 'contract 1.3',
};

/** Cases by name and build: `name (kustomize)`, `name (flux)`. */
export const knownDifferences: readonly KnownDifference[] = [
  { case: 'label-number-value (flux)', ...rewrittenRoot },
  { case: 'unknown-field (flux)', ...rewrittenRoot },
  { case: 'yaml11-bool-label-value (flux)', ...rewrittenRoot },
];
