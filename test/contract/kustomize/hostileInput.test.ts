import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** More than any of the builds below needs, less than what they would take without bounds. */
const heapMegabytes = 384;
/** A hang is told as such; the machine may be busy. */
const timeout = 300_000;

type Files = Readonly<Record<string, string | Uint8Array>>;

interface Answer {
  readonly length?: number;
  readonly error?: string;
}

async function buildBounded(files: Files): Promise<Answer> {
  const worker = new Worker(new URL('./hostileWorker.ts', import.meta.url), {
    workerData: { files: Object.entries(files), restricted: true },
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  try {
    const [answer] = (await once(worker, 'message')) as [Answer];
    return answer;
  } finally {
    await worker.terminate();
  }
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');
const filesOf = (count: number, make: (index: number) => Files): Files =>
  Object.assign({}, ...Array.from({ length: count }, (_, index) => make(index))) as Files;
const configMap = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${more}`;
const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const one = (kustomization: string, more: Files = {}): Files => ({
  'kustomization.yaml': `resources: [a.yaml]\n${kustomization}`,
  'a.yaml': configMap('a', 'data: {a: b}\n'),
  ...more,
});
/** Each level takes the next one up twice, under two prefixes. */
const doubling = (bottom: string): Files => ({
  'kustomization.yaml': 'resources: [l0]\n',
  'l40/kustomization.yaml': bottom,
  ...filesOf(40, (level) => ({
    [`l${level}/kustomization.yaml`]: `resources: [../a${level}, ../b${level}]\n`,
    [`a${level}/kustomization.yaml`]: `namePrefix: a\nresources: [../l${level + 1}]\n`,
    [`b${level}/kustomization.yaml`]: `namePrefix: b\nresources: [../l${level + 1}]\n`,
  })),
});
const replacementOf = (source: string, target: string, options: string): string =>
  `- source: {kind: ConfigMap, name: a, fieldPath: ${source}}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [${target}]\n    options: {${options}}\n`;
const binary = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x00, 0xff, 0xfe]);
const latin = Buffer.concat([Buffer.from(configMap('a', 'data: {a: ')), Buffer.from([0xe9, 0x7d, 0x0a])]);

const refused: Readonly<Record<string, readonly [files: Files, error: RegExp]>> = {
  'a base that names itself': [
    { 'kustomization.yaml': 'resources: [.]\n' },
    /^kustomization\.yaml:1: .*a cycle/,
  ],
  'a circle of bases': [
    {
      'kustomization.yaml': 'resources: [a]\n',
      'a/kustomization.yaml': 'resources: [../b]\n',
      'b/kustomization.yaml': 'resources: [../a]\n',
    },
    /^b\/kustomization\.yaml:1: .*a cycle/,
  ],
  'a circle through components': [
    {
      'kustomization.yaml': 'components: [a]\n',
      'a/kustomization.yaml': `${component}components: [../b]\n`,
      'b/kustomization.yaml': `${component}components: [../a]\n`,
    },
    /^b\/kustomization\.yaml:3: .*a cycle/,
  ],
  'a chain of thousands of bases': [
    {
      'kustomization.yaml': 'resources: [l0]\n',
      ...filesOf(3000, (level) => ({
        [`l${level}/kustomization.yaml`]: `resources: [../l${level + 1}]\n`,
      })),
    },
    /^l299\/kustomization\.yaml:1: more than 300 kustomizations lie one below the other/,
  ],
  'a chain of thousands of components': [
    {
      'kustomization.yaml': 'components: [l0]\n',
      ...filesOf(3000, (level) => ({
        [`l${level}/kustomization.yaml`]: `${component}components: [../l${level + 1}]\n`,
      })),
    },
    /more than 300 kustomizations lie one below the other/,
  ],
  'bases that double on each level': [
    doubling('namePrefix: x\n'),
    /takes up more than 10,000 kustomizations/,
  ],
  'bases that double down to a missing file': [
    doubling('resources: [gone.yaml]\n'),
    /^l40\/kustomization\.yaml:1: there is no file gone\.yaml/,
  ],
  'objects that double on each level': [
    {
      ...doubling('resources: [a.yaml]\n'),
      'l40/a.yaml': lines(1000, (index) => `${configMap(`c${index}`)}---\n`),
    },
    /makes more than 50,000 objects|takes up more than 10,000 kustomizations/,
  ],
  'a patch that copies a field into itself': [
    one('patches:\n- target: {kind: ConfigMap}\n  path: p.yaml\n', {
      'p.yaml': lines(40, (index) => `- {op: copy, from: /data, path: /data/k${index}}\n`),
    }),
    /^p\.yaml:\d+: the copies that are made here are larger than 64 MB/,
  ],
  'replacements that copy a mapping into itself': [
    one(`replacements:\n${lines(40, (index) => replacementOf('data', `data.k${index}`, 'create: true'))}`),
    /^kustomization\.yaml:\d+: the copies that are made here/,
  ],
  'replacements that put a text before itself': [
    one(`replacements:\n${lines(40, () => replacementOf('data.a', 'data.a', "delimiter: '-', index: -1"))}`),
    /^kustomization\.yaml:\d+: the copies that are made here/,
  ],
  'a regular expression that expands without end': [
    one(
      `patches:\n- target: {name: '((a{1,1000}){1,1000}){1,1000}'}\n  patch: '[{"op": "add", "path": "/data", "value": {}}]'\n`,
    ),
    /^kustomization\.yaml:3: invalid regular expression/,
  ],
  'an index beyond any list': [
    one(
      `patches:\n- target: {kind: ConfigMap}\n  patch: '[{"op": "add", "path": "/l", "value": []}, {"op": "add", "path": "/l/4000000000", "value": 1}]'\n`,
    ),
    /^kustomization\.yaml:4: cannot add \/l\/4000000000/,
  ],
  'a binary file as resource': [one('', { 'a.yaml': binary }), /^a\.yaml:1: .*is not UTF-8 text/],
  'a binary file as kustomization': [
    { 'kustomization.yaml': binary },
    /^kustomization\.yaml:1: .*is not UTF-8 text/,
  ],
  'a binary file as patch': [
    one('patches: [{path: p.yaml}]\n', { 'p.yaml': binary }),
    /^p\.yaml:1: .*is not UTF-8 text/,
  ],
  'a binary file of variables': [
    one('configMapGenerator: [{name: g, envs: [v.env]}]\n', { 'v.env': binary }),
    /^kustomization\.yaml:2: v\.env is not UTF-8 text/,
  ],
  'text in another encoding': [one('', { 'a.yaml': latin }), /^a\.yaml:\d+: .*is not UTF-8 text/],
  'UTF-16': [
    one('', { 'a.yaml': Buffer.from(`\ufeff${configMap('a')}`, 'utf16le') }),
    /^a\.yaml:1: .*is not UTF-8 text/,
  ],
  'control characters': [
    one('', { 'a.yaml': `${configMap('a')}\0\0` }),
    /^a\.yaml:4: the character U\+0000 is not allowed/,
  ],
  'a path out of the root as resource': [
    { 'app/kustomization.yaml': 'resources: [../../a.yaml]\n', 'kustomization.yaml': 'resources: [app]\n' },
    /^app\/kustomization\.yaml:1: \.\.\/\.\.\/a\.yaml is outside of the source/,
  ],
  ...Object.fromEntries(
    [
      'patches: [{path: ../out}]',
      'patchesStrategicMerge: [../out]',
      'patchesJson6902: [{target: {kind: ConfigMap, name: a}, path: ../out}]',
      'replacements: [{path: ../out}]',
      'configurations: [../out]',
      'crds: [../out]',
      'openapi: {path: ../out}',
      'configMapGenerator: [{name: g, files: [../out]}]',
      'secretGenerator: [{name: g, envs: [../out]}]',
      'transformers: [../out]',
    ].map((field) => [
      `a path out of the root in ${field}`,
      [
        {
          out: 'kind: Leaked\n',
          'kustomization.yaml': 'resources: [app]\n',
          'app/kustomization.yaml': `resources: [a.yaml]\n${field}\n`,
          'app/a.yaml': configMap('a'),
        },
        /^app\/kustomization\.yaml:2: \.\.\/out is not in or below the kustomization's folder/,
      ] as const,
    ]),
  ),
};

for (const [name, [files, error]] of Object.entries(refused))
  test(`refuses ${name}, with its place`, { timeout }, async () => {
    const answer = await buildBounded(files);
    assert.match(answer.error ?? `built ${answer.length} characters`, error);
  });

const built: Readonly<Record<string, readonly [files: Files, atLeast: number]>> = {
  '10,000 small files': [
    {
      'kustomization.yaml': `namePrefix: p-\nresources:\n${lines(10_000, (index) => `- f${index}.yaml\n`)}`,
      ...filesOf(10_000, (index) => ({ [`f${index}.yaml`]: configMap(`c${index}`) })),
    },
    10_000 * 50,
  ],
  'thousands of folders': [
    {
      'kustomization.yaml': `resources:\n${lines(3000, (index) => `- d${index}\n`)}`,
      ...filesOf(3000, (index) => ({
        [`d${index}/kustomization.yaml`]: 'resources: [f.yaml]\n',
        [`d${index}/f.yaml`]: configMap(`c${index}`),
      })),
    },
    3000 * 50,
  ],
  'a list of 20,000 items': [
    {
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': `apiVersion: v1\nkind: List\nitems:\n${lines(20_000, (index) => `- {apiVersion: v1, kind: ConfigMap, metadata: {name: c${index}}}\n`)}`,
    },
    20_000 * 50,
  ],
  '200,000 empty documents': [one('', { 'a.yaml': configMap('a') + '---\n'.repeat(200_000) }), 50],
  'a million lines of comments': [one('', { 'a.yaml': '# x\n'.repeat(1_000_000) + configMap('a') }), 50],
  'a key of a megabyte': [
    one('', { 'a.yaml': configMap('a', `data:\n  ? ${'k'.repeat(1_000_000)}\n  : v\n`) }),
    1_000_000,
  ],
  'a name of a megabyte': [
    one('namePrefix: p-\n', { 'a.yaml': configMap('n'.repeat(1_000_000)) }),
    1_000_000,
  ],
  'a binary file of megabytes as content': [
    {
      'kustomization.yaml': 'configMapGenerator: [{name: g, files: [b.bin]}]\n',
      'b.bin': Buffer.alloc(5_000_000, 0xff),
    },
    6_000_000,
  ],
  'a file of 50,000 variables': [
    {
      'kustomization.yaml': 'secretGenerator: [{name: g, envs: [v.env]}]\n',
      'v.env': lines(50_000, (index) => `K${index}=v\n`),
    },
    500_000,
  ],
  'a regular expression that makes others backtrack': [
    one(
      `patches:\n- target: {name: '(a|a)*(a|aa)+$'}\n  patch: '[{"op": "add", "path": "/data", "value": {}}]'\n`,
      {
        'a.yaml': configMap(`${'a'.repeat(5000)}b`),
      },
    ),
    5000,
  ],
};

for (const [name, [files, atLeast]] of Object.entries(built))
  test(`builds ${name}`, { timeout }, async () => {
    const { error, length = 0 } = await buildBounded(files);
    assert.equal(error, undefined);
    assert.ok(length >= atLeast, `${length} characters`);
  });
