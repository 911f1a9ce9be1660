import assert from 'node:assert/strict';
import { test } from 'node:test';
import { YamlReader } from '../../kube/yamlReader.ts';
import { asNode, type Node } from './node.ts';
import { PathTree } from './pathTree.ts';

function nodeOf(text: string): Node {
  const node = new YamlReader({ path: '', text, line: 0 }).readDocument();
  assert.ok(node !== undefined);
  return asNode(node);
}

function meeting(text: string, ...paths: readonly string[]): readonly string[] {
  return new PathTree(paths, (path) => path).meetingIn(nodeOf(text));
}

test('finds the paths that lead to something, through lists, in their order', () => {
  const text = 'spec: {volumes: [{secret: {name: a}}, {configMap: {name: b}}], name: c}\n';
  assert.deepEqual(
    meeting(text, 'spec/name', 'spec/volumes/configMap/name', 'spec/gone/name', 'spec/volumes/secret/name'),
    ['spec/name', 'spec/volumes/configMap/name', 'spec/volumes/secret/name'],
  );
});

test('gives paths that a value stands in the way of, and those that are no names only', () => {
  assert.deepEqual(meeting('spec: text\n', 'spec/a/b', 'other', 'list[]/a', 'a/0'), [
    'spec/a/b',
    'list[]/a',
    'a/0',
  ]);
  assert.deepEqual(meeting('spec: null\n', 'spec/a'), []);
});
