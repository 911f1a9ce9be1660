import type { KnownDifference } from '../knownDifference.ts';

export const knownDifferences: readonly KnownDifference[] = [
  {
    case: 'comments in lists',
    reason:
      'upstream encrypts a comment in a list into an item and then refuses its own file (MAC mismatch); ours stays a comment, which upstream reads',
    link: 'docs/adr/0018-own-sops.md',
  },
];
