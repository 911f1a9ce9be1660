import type { KnownDifference } from '../knownDifference.ts';

/** Cases by name and build: `name (kustomize)`, `name (flux)`. */
export const knownDifferences: readonly KnownDifference[] = [];
