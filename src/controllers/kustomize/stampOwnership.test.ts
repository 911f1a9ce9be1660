import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import type { KubeObject } from '../../kube/object.ts';
import { stampOwnership } from './stampOwnership.ts';

/** An object whose fields lie on the lines of `lines`, all else on line 0. */
function built(object: JsonObject, lines: Readonly<Record<string, number>> = {}): BuiltObject {
  const at = (pointer: string) => {
    const line = lines[pointer] ?? 0;
    const range = { start: { line, character: 2 }, end: { line, character: 9 } };
    return { path: 'apps/a.yaml', range };
  };
  const entries = () => Object.keys(lines).map((pointer) => [pointer, at(pointer)] as const);
  return { object: object as KubeObject, origins: { at, entries } };
}

function stamp(object: BuiltObject, spec: object = {}) {
  return stampOwnership([object], {
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec,
  } as unknown as Kustomization);
}

const owner = {
  'kustomize.toolkit.fluxcd.io/name': 'apps',
  'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
};

test('ownership labels are stamped, and common metadata wins over them and over the object', () => {
  const object = built({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', labels: { team: 'a', keep: 'b' } },
  });
  const { value } = stamp(object, { commonMetadata: { labels: { team: 'z' }, annotations: { note: 'n' } } });
  assert.deepEqual(value[0]?.object.metadata, {
    name: 'a',
    labels: { team: 'z', keep: 'b', ...owner },
    annotations: { note: 'n' },
    creationTimestamp: null,
  });
});

test('a field that the kind does not have is left out and told at its line', () => {
  const object = built(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { replica: 3, template: {} },
    },
    { '/spec/replica': 5 },
  );
  const { value, diagnostics } = stamp(object);
  assert.equal((value[0]?.object['spec'] as JsonObject)['replica'], undefined);
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'apps/a.yaml:6:3: warning: /spec/replica is not a field of Deployment: Deployment/shop/web is applied without it (correct the name or the indentation; Flux drops the field without a word)',
  ]);
});

test('stringData is sent as data and keeps its lines', () => {
  const object = built(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: 'YQ==', both: 'YQ==' },
      stringData: { token: 'word', both: 'b' },
    },
    { '/data/a': 4, '/data/both': 5, '/stringData/token': 7, '/stringData/both': 8 },
  );
  const [secret] = stamp(object).value as readonly [BuiltObject];
  assert.deepEqual(secret.object['data'], { a: 'YQ==', token: 'd29yZA==', both: 'Yg==' });
  assert.equal(secret.object['stringData'], undefined);
  assert.deepEqual(
    ['/data/a', '/data/token', '/data/both'].map((pointer) => secret.origins.at(pointer)?.range.start.line),
    [4, 7, 8],
  );
  assert.deepEqual(
    [...secret.origins.entries()].map(([pointer, { range }]) => [pointer, range.start.line]),
    [
      ['/data/a', 4],
      ['/data/token', 7],
      ['/data/both', 8],
    ],
  );
});
