import type { KnownDifference } from '../knownDifference.ts';

const twice = {
  reason: 'a key given twice is refused, as kustomize refuses it; sigs.k8s.io/yaml alone takes the last one',
  link: 'contract 1.3',
};
const trailing = {
  reason: 'text behind the end of a document is refused; go-yaml stops reading there without a word',
  link: 'contract 1.3',
};

export const knownDifferences: readonly KnownDifference[] = [
  { case: '{a: 1, a: 2}', ...twice },
  { case: '{a: 1, \\"a\\": 2}', ...twice },
  { case: '{1: a, 1: b}', ...twice },
  { case: '{1: a, \\"1\\": b}', ...twice },
  { case: '\\"a\\" b', ...trailing },
  { case: "'a' 'b'", ...trailing },
  { case: '{a: 1} b', ...trailing },
  { case: '[a] b', ...trailing },
  { case: '|\\n   a\\n  b\\n', ...trailing },
  {
    case: '&a b: 1\\n*a : 2',
    reason:
      'an alias for a key is refused; go-yaml takes the key it stands for, here one that is given twice',
    link: 'contract 1.3',
  },
  {
    case: '! 12',
    reason: 'the non-specific tag `!` is passed over; go-yaml makes text of what follows',
    link: 'contract 1.3',
  },
  {
    case: '\\"\\\\ufeffa\\"',
    reason:
      'go-yaml escapes every character of a text that starts with a byte order mark; we escape the mark',
    link: 'contract 1.3',
  },
];
