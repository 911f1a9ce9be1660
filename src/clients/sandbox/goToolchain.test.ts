import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewEnough } from './goToolchain.ts';

test('Go versions are compared by number', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['go1.26', true],
    ['go1.26.8', true],
    ['go1.27rc1', true],
    ['go2.0', true],
    ['devel go1.27-3f2a1b', true],
    ['go1.9', false],
    ['go1.25.9', false],
    ['gccgo', false],
    ['', false],
  ];
  for (const [version, expected] of cases) assert.equal(isNewEnough(version), expected, version);
});
