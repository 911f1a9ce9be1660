import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../base/json.ts';
import { diffFields, pointerOf, valueAt } from './diffFields.ts';
import type { FieldSet } from './managedFields.ts';

const owned: FieldSet = {
  'f:spec': {
    'f:containers': {
      'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:image': {} },
      'k:{"name":"b"}': { '.': {} },
    },
    'f:finalizers': { 'v:"x"': {} },
  },
};

function check(before: JsonValue, after: JsonValue, expected: readonly string[]): void {
  const differences = diffFields(before, after, [owned]);
  assert.deepEqual(
    differences.map(
      (difference) =>
        `${difference.pointer} ${JSON.stringify(difference.before)} ${JSON.stringify(difference.after)}`,
    ),
    expected,
  );
}

test('names each leaf that differs, added ones as absent before', () => {
  check({ a: 1, b: { c: [1], 'd/e': {} } }, { a: 2, b: { c: [1, 2], f: { g: 'x' } } }, [
    '/a 1 2',
    '/b/c/1 undefined 2',
    '/b/f/g undefined "x"',
    '/b/d~1e {} undefined',
  ]);
});

test('compares items of keyed lists by key, whatever their place', () => {
  check(
    {
      spec: {
        containers: [
          { name: 'sidecar', image: 's' },
          { name: 'a', image: '1' },
        ],
      },
    },
    { spec: { containers: [{ name: 'a', image: '2' }] } },
    [
      '/spec/containers/0/image "1" "2"',
      '/spec/containers/0/name "sidecar" undefined',
      '/spec/containers/0/image "s" undefined',
    ],
  );
});

test('compares items of sets by value', () => {
  check({ spec: { finalizers: ['x', 'y'] } }, { spec: { finalizers: ['y', 'z'] } }, [
    '/spec/finalizers/1 undefined "z"',
    '/spec/finalizers/0 "x" undefined',
  ]);
});

test('a changed order alone is one difference, at the list', () => {
  check({ spec: { finalizers: ['x', 'y'] } }, { spec: { finalizers: ['y', 'x'] } }, [
    '/spec/finalizers ["x","y"] ["y","x"]',
  ]);
});

test('finds a field of another version of the object by its path', () => {
  const path = ['f:spec', 'f:containers', 'k:{"name":"a"}', 'f:image'];
  const object = { spec: { containers: [{ name: 'b' }, { name: 'a', image: 'x' }] } };
  assert.equal(pointerOf(object, path, [owned]), '/spec/containers/1/image');
  assert.equal(valueAt(object, path, [owned]), 'x');
  assert.equal(pointerOf({ spec: {} }, path, [owned]), undefined);
});
