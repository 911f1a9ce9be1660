import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { BuildCache } from './buildCache.ts';
import { buildKustomization, type BuildResult } from './buildKustomization.ts';
import { printBuild } from './printBuild.ts';

/** Builds one file of resources with more fields of the kustomization. */
function build(resource: string, kustomization = 'namePrefix: p-\n'): BuildResult {
  return buildKustomization(
    FileTree.from([
      ['kustomization.yaml', `resources: [all.yaml]\n${kustomization}`],
      ['all.yaml', resource],
    ]),
    '',
  );
}

function configMap(data: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n${data}`;
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

/** Ten anchors, each a list of ten of the one before: 10^10 values when expanded. */
const bomb = `a0: &a0 x\n${lines(10, (index) => `a${index + 1}: &a${index + 1} [${Array(10).fill(`*a${index}`).join(', ')}]\n`)}`;
const mergeBomb = `a0: &a0 {k: v}\n${lines(40, (index) => `a${index + 1}: &a${index + 1} {<<: *a${index}, x: *a${index}, y: *a${index}}\n`)}`;
const patchOf = (more: string) =>
  `patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: c}\n${more.replaceAll(/^/gm, '    ')}\n`;

const refused: Readonly<Record<string, readonly [result: BuildResult, message: RegExp]>> = {
  'an anchor bomb in a resource': [build(`${configMap('  a: b\n')}${bomb}`), /aliases/],
  'a bomb of merge keys': [build(`${configMap('  a: b\n')}${mergeBomb}`), /aliases/],
  'an anchor bomb in the kustomization': [build(configMap('  a: b\n'), bomb), /aliases/],
  'an anchor bomb in a patch': [build(configMap('  a: b\n'), patchOf(bomb)), /aliases/],
  'brackets without end': [build(configMap(`  a: ${'['.repeat(200_000)}\n`)), /nested too deeply/],
  'dashes without end': [build(configMap(`  a:\n    ${'- '.repeat(100_000)}x\n`)), /nested too deeply/],
  'mappings without end': [
    build(configMap(lines(3000, (index) => `${' '.repeat(index + 2)}a:\n`))),
    /nested too deeply/,
  ],
};

for (const [name, [{ objects, diagnostics }, message]] of Object.entries(refused))
  test(`refuses ${name}, with its place`, () => {
    assert.equal(objects.length, 0);
    const error = diagnostics.find(({ severity }) => severity === 'error');
    assert.match(error?.message ?? '', message);
    assert.match(error?.path ?? '', /^(?:all|kustomization)\.yaml$/);
  });

const text = 'some words: {a}, #1 ';
const scalars: Readonly<Record<string, readonly [written: string, value: string]>> = {
  plain: ['x'.repeat(2_000_000), 'x'.repeat(2_000_000)],
  'of digits': [`'${'1'.repeat(1_000_000)}'`, '1'.repeat(1_000_000)],
  'of words': ['word '.repeat(300_000).trim(), 'word '.repeat(300_000).trim()],
  'single-quoted': [`'${"it''s ".repeat(200_000)}'`, "it's ".repeat(200_000)],
  'double-quoted': [`"${'a\\n\\tb '.repeat(200_000)}"`, 'a\n\tb '.repeat(200_000)],
  literal: [`|\n${`    ${text.trim()}\n`.repeat(60_000)}`, `${text.trim()}\n`.repeat(60_000)],
};

for (const [name, [written, value]] of Object.entries(scalars))
  test(`builds a scalar of a megabyte, ${name}`, () => {
    const { objects, diagnostics } = build(configMap(`  a: ${written}\n`), patchOf('data: {b: c}'));
    assert.deepEqual(diagnostics, []);
    const data = objects[0]?.object['data'] as Readonly<Record<string, string>>;
    assert.ok(data['a'] === value, 'the text is the same');
    assert.equal(data['b'], 'c');
    assert.ok(printBuild(objects).length >= value.length);
  });

test('builds mappings of many keys through merges, patches and annotations', () => {
  const keys = lines(10_000, (index) => `  key${index}: v\n`);
  const labels = `commonAnnotations: {a: b}\n${patchOf('data: {key7: w, more: x}')}`;
  const resource = `base: &base\n${keys}${configMap(`  <<: *base\n${keys.replaceAll('key', 'own')}`)}`;
  const { objects, diagnostics } = build(resource, labels);
  assert.deepEqual(diagnostics, []);
  const data = objects[0]?.object['data'] as Readonly<Record<string, string>>;
  assert.equal(Object.keys(data).length, 20_001);
  assert.equal(data['key7'], 'w');
  assert.equal(data['own9999'], 'v');
});

test('of 10,000 files an edit builds the one that it changed', () => {
  const file = (index: number, value = 'a') =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${index}}\ndata: {k: ${value}}\n`;
  const tree = FileTree.from([
    ['kustomization.yaml', `resources:\n${lines(10_000, (index) => `- f${index}.yaml\n`)}namePrefix: p-\n`],
    ...Array.from({ length: 10_000 }, (_, index) => [`f${index}.yaml`, file(index)] as const),
  ]);
  const cache = new BuildCache();
  const first = buildKustomization(tree, '', { cache });
  assert.equal(first.objects.length, 10_000);
  const edited = tree.with('f5000.yaml', file(5000, 'b'));
  const second = buildKustomization(edited, '', { cache });
  const changed = second.objects.filter(({ object }, index) => object !== first.objects[index]?.object);
  assert.deepEqual(
    changed.map(({ object }) => [object.metadata.name, object['data']]),
    [['p-c5000', { k: 'b' }]],
  );
});
