import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortRevision } from './revision.ts';

test('a revision keeps its branch or tag and seven digits of the digest', () => {
  const cases = {
    'main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d': 'main@1a2b3c4',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08': '9f86d08',
    'v1.2.3@sha256:9f86d081884c7d65': 'v1.2.3@9f86d08',
    '6.7.1': '6.7.1',
    'refs/heads/a': 'refs/heads/a',
  };
  for (const [revision, expected] of Object.entries(cases)) assert.equal(shortRevision(revision), expected);
});
