import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainMarkdown } from './plainMarkdown.ts';

test('no address in a value becomes a link', () => {
  const cases = [
    ['\\(https://127.0.0.1:6443\\)', '\\(https&#58;//127.0.0.1:6443\\)'],
    ['www.example.com', 'www&#46;example.com'],
    ['ssh://git@example.com/fleet', 'ssh&#58;//git&#64;example.com/fleet'],
    ['Kustomization/flux\\-system/apps', 'Kustomization/flux\\-system/apps'],
  ] as const;
  for (const [escaped, expected] of cases) assert.equal(plainMarkdown(escaped), expected);
});

test('a long message wraps between words, and what is indented stays so', () => {
  assert.equal(plainMarkdown('a&nbsp;b&nbsp;c'), 'a b c');
  assert.equal(plainMarkdown('a&nbsp;&nbsp;b\n\n&nbsp;c'), 'a&nbsp;&nbsp;b\n\n&nbsp;c');
});
