import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Kustomization, KustomizationPostBuild } from '../../flux/api/kustomize.gen.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import type { KubeObject } from '../../kube/object.ts';
import { buildKustomization } from '../../lib/kustomize/buildKustomization.ts';
import { expandObjects } from './stampOwnership.ts';
import { substituteObjects } from './substitution.ts';

const nowhere = { at: () => undefined, entries: () => [] };

function built(members: JsonObject, metadata: JsonObject = {}): BuiltObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata }, ...members };
  return { object: object as KubeObject, origins: nowhere };
}

function kustomization(postBuild?: KustomizationPostBuild, spec: object = {}): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: {
      interval: '1m',
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      ...(postBuild !== undefined && { postBuild }),
      ...spec,
    },
  };
}

function substitute(
  object: BuiltObject,
  variables: Readonly<Record<string, string>>,
  isStrict = true,
): KubeObject {
  const [result] = substituteObjects([object], kustomization({}), new Map(Object.entries(variables)), {
    isStrict,
  });
  return (result as BuiltObject).object;
}

test('values may change their type and bring structure, as upstream substitutes the text', () => {
  const object = built({ data: { port: '${port}', text: 'a ${name:=b} c', map: '${map}' } });
  assert.deepEqual(substitute(object, { port: '8080', map: '{x: 1}' })['data'], {
    port: 8080,
    text: 'a b c',
    map: { x: 1 },
  });
});

test('without postBuild, or without variables, everything stays', () => {
  const object = built({ data: { a: '${x} $${y}' } });
  for (const postBuild of [undefined, {}])
    assert.deepEqual(substituteObjects([object], kustomization(postBuild), new Map(), { isStrict: true }), [
      object,
    ]);
  const always = kustomization({ substituteStrategy: 'Always' });
  const [result] = substituteObjects([built({ data: { a: '$${y}' } })], always, new Map(), {
    isStrict: true,
  });
  assert.deepEqual(result?.object['data'], { a: '${y}' });
});

test('an object may opt out by label or annotation, in exactly that spelling', () => {
  const key = 'kustomize.toolkit.fluxcd.io/substitute';
  const data = { a: '${x}' };
  for (const name of ['labels', 'annotations']) {
    assert.deepEqual(
      substitute(built({ data }, { [name]: { [key]: 'disabled' } }), { x: '1' })['data'],
      data,
    );
    assert.deepEqual(substitute(built({ data }, { [name]: { [key]: 'Disabled' } }), { x: '1' })['data'], {
      a: 1,
    });
  }
});

test('a missing variable, a bad name and a result that is no object are told with the object', () => {
  const cases: readonly (readonly [BuiltObject, Record<string, string>, RegExp])[] = [
    [
      built({ data: { a: '${x}' } }),
      { y: '1' },
      /post build failed for 'ConfigMap\.v1\.\[noGrp\]\/a': envsubst error: variable substitution failed: variable not set \(strict mode\): "x"/,
    ],
    [built({}), { 'a-b': '1' }, /'a-b' var name is invalid, must match/],
    [built({ data: { a: '${x}' } }), { x: '[' }, /YAMLToJSON/],
  ];
  for (const [object, variables, expected] of cases)
    assert.throws(() => substitute(object, variables), { message: expected, code: 'BuildFailed' });
});

test('where strict mode is off a missing variable is empty', () => {
  assert.deepEqual(substitute(built({ data: { a: 'x${y}' } }), { z: '1' }, false)['data'], { a: 'x' });
});

test('lists are expanded, and what is no object or a kustomize file is left out', () => {
  const list = built({
    items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }, { kind: 'Pod' }],
  });
  const objects = expandObjects([
    { ...list, object: { ...list.object, kind: 'List' } },
    built({}),
    {
      origins: nowhere,
      object: {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        metadata: { name: 'x' },
      },
    },
  ]);
  assert.deepEqual(
    objects.map(({ object }) => `${object.kind}/${object.metadata.name}`),
    ['Pod/p', 'ConfigMap/a'],
  );
});

test('what a variable brought in comes from the line that named the variable', () => {
  const file = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: a',
    'data:',
    '  plain: x',
    '  map: ${map}',
    '',
  ].join('\n');
  const files = FileTree.from([
    ['kustomization.yaml', 'resources: [a.yaml]\n'],
    ['a.yaml', file],
  ]);
  const { objects } = buildKustomization(files, '');
  const [result] = substituteObjects(objects, kustomization({}), new Map([['map', '{inner: y}']]), {
    isStrict: true,
  });
  const lines = [...(result?.origins.entries() ?? [])].map(
    ([pointer, { path, range }]) => `${pointer} ${path}:${range.start.line + 1}`,
  );
  assert.deepEqual(lines, [
    '/apiVersion a.yaml:1',
    '/data/map/inner a.yaml:7',
    '/data/plain a.yaml:6',
    '/kind a.yaml:2',
    '/metadata/name a.yaml:4',
  ]);
});
