import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob } from './goGlob.ts';

const cases: readonly (readonly [pattern: string, name: string, expected: boolean | 'malformed'])[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*.yaml', 'app.yaml', true],
  ['*.yaml', 'app.yml', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'aXbYcZ', false],
  ['a*ab', 'aabab', true],
  ['?', 'é', true],
  ['??', 'é', false],
  ['*??', '日', true],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[^a-c]x', '日x', true],
  ['[\\]]', ']', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[-a]', '-', 'malformed'],
  ['[]a]', 'a', 'malformed'],
  ['[a', 'a', 'malformed'],
  ['a\\', 'a', 'malformed'],
  ['[a-]', 'a', 'malformed'],
  ['a[*]b', 'a*b', true],
];

for (const [pattern, name, expected] of cases) {
  test(`${JSON.stringify(pattern)} on ${JSON.stringify(name)} is ${String(expected)}`, () => {
    const glob = compileGlob(pattern);
    assert.equal(glob === undefined ? 'malformed' : glob(Buffer.from(name)), expected);
  });
}
