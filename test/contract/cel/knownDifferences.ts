import type { KnownDifference } from '../knownDifference.ts';

export const knownDifferences: readonly KnownDifference[] = [
  {
    case: "google.protobuf.Duration{seconds: 1} == duration('1s')",
    reason: 'protobuf messages are refused: Kubernetes objects hold none, and duration() says the same',
    link: 'ADR 16',
  },
];
