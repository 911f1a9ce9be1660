import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortByDependency } from './dependencyGraph.ts';

function sort(graph: Readonly<Record<string, readonly string[]>>): ReturnType<typeof sortByDependency> {
  return sortByDependency(Object.keys(graph), (key) => graph[key] ?? []);
}

test('what others depend on stands first, the rest in the given order', () => {
  assert.deepEqual(sort({ apps: ['infra', 'crds'], infra: ['crds'], crds: [], other: [] }).sorted, [
    'crds',
    'infra',
    'apps',
    'other',
  ]);
});

test('cycles are told as the path that closes them, and lose nobody', () => {
  const { sorted, cycles } = sort({ a: ['b'], b: ['c'], c: ['a'], d: ['d'] });
  assert.deepEqual(cycles, [
    ['a', 'b', 'c', 'a'],
    ['d', 'd'],
  ]);
  assert.deepEqual([...sorted].sort(), ['a', 'b', 'c', 'd']);
});

test('a dependency that is not there is no cycle', () => {
  assert.deepEqual(sort({ a: ['gone'] }), { sorted: ['a'], cycles: [] });
});
