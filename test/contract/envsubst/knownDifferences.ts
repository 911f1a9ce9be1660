import type { KnownDifference } from '../knownDifference.ts';

export const knownDifferences: readonly KnownDifference[] = [];
