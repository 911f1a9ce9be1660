import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coversPath, listElements, unionFields } from './managedFields.ts';

test('a union keeps members that have children in the other set', () => {
  assert.deepEqual(
    unionFields(
      { 'f:a': {}, 'f:b': { 'f:c': {} }, 'f:d': { '.': {}, 'f:e': {} } },
      { 'f:a': { 'f:x': {} }, 'f:b': { 'f:g': {} }, 'f:d': { 'f:h': {} } },
    ),
    {
      'f:a': { '.': {}, 'f:x': {} },
      'f:b': { 'f:c': {}, 'f:g': {} },
      'f:d': { '.': {}, 'f:e': {}, 'f:h': {} },
    },
  );
});

test('an owner of an atomic value owns everything below it', () => {
  const set = { 'f:selector': {}, 'f:spec': { '.': {}, 'f:x': {} } };
  assert.equal(coversPath(set, ['f:selector', 'f:app']), true);
  assert.equal(coversPath(set, ['f:spec']), true);
  assert.equal(coversPath(set, ['f:spec', 'f:y']), false);
  assert.equal(coversPath(set, ['f:other']), false);
});

test('list items are named by the longest key they have', () => {
  const node = { 'k:{"port":80,"protocol":"TCP"}': {}, 'k:{"port":80}': {} };
  assert.deepEqual(listElements([{ port: 80, protocol: 'TCP' }, { port: 81 }, 'odd'], [node]), [
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":81}',
    'i:2',
  ]);
});
