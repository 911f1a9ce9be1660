import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../base/json.ts';
import { createMergePatch } from './mergePatch.ts';

const cases: readonly (readonly [string, JsonObject, JsonObject, JsonObject | undefined])[] = [
  ['equal objects need no patch', { a: { b: [1] } }, { a: { b: [1] } }, undefined],
  ['a missing and an undefined member are the same', { a: undefined }, {}, undefined],
  ['a changed scalar is replaced', { a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 }],
  ['a removed member becomes null', { a: 1, b: 2 }, { a: 1 }, { b: null }],
  [
    'objects are patched member by member',
    { a: { b: 1, c: 2 } },
    { a: { b: 1, d: 3 } },
    { a: { c: null, d: 3 } },
  ],
  ['lists are replaced as a whole', { a: [1, 2] }, { a: [1] }, { a: [1] }],
  ['an object takes the place of a list', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
  ['undefined members of new objects are left out', {}, { a: { b: undefined, c: 1 } }, { a: { c: 1 } }],
];

for (const [name, before, after, expected] of cases) {
  test(name, () => assert.deepEqual(createMergePatch(before, after), expected));
}
