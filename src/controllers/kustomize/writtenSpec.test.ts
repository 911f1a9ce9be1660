import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { BuildCache } from '../../lib/kustomize/buildCache.ts';
import { buildKustomization, type BuildResult } from '../../lib/kustomize/buildKustomization.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { prepareOverlay } from './overlay.ts';
import { withWrittenSpec } from './writtenSpec.ts';

const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  targetNamespace: shop
  patches:
    - target: {kind: ConfigMap}
      patch: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a}
        data:
          x: spec
  images:
    - name: web
      newTag: "2"
`;
const files = {
  'cluster/apps.yaml': flux,
  'apps/kustomization.yaml': 'resources: [a.yaml, pod.yaml]\n',
  'apps/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {y: file}\n',
  'apps/pod.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: web, image: web:1}]}\n',
};
const kustomization = parseYaml('', flux).value[0]?.value as unknown as Kustomization;

function build(
  texts: Readonly<Record<string, string>>,
  of: Kustomization = kustomization,
  cache = new BuildCache(),
): BuildResult {
  const tree = FileTree.from(Object.entries(texts));
  const overlay = withWrittenSpec(prepareOverlay(tree, 'apps', of.spec), of, tree);
  return buildKustomization(overlay.files, 'apps', { rootChanges: overlay.rootChanges, cache });
}

function lineOf({ objects }: BuildResult, index: number, pointer: string): string {
  const origin = objects[index]?.origins.at(pointer);
  return `${origin?.path}:${(origin?.range.start.line ?? 0) + 1}`;
}

test('what a spec sets has its origin in the file of the Kustomization', () => {
  const built = build(files);
  assert.deepEqual(built.diagnostics, []);
  assert.equal(lineOf(built, 0, '/metadata/namespace'), 'cluster/apps.yaml:7');
  assert.equal(lineOf(built, 0, '/data/x'), 'cluster/apps.yaml:15');
  assert.equal(lineOf(built, 0, '/data/y'), 'apps/a.yaml:4');
  assert.equal(lineOf(built, 1, '/spec/containers/0/image'), 'cluster/apps.yaml:18');
});

test('the origins move with the lines of the file', () => {
  const cache = new BuildCache();
  build(files, kustomization, cache);
  const moved = build({ ...files, 'cluster/apps.yaml': `# one line more\n${flux}` }, kustomization, cache);
  assert.equal(lineOf(moved, 0, '/data/x'), 'cluster/apps.yaml:16');
});

test('a value that the file has not as the cluster has it stands at its field', () => {
  const { spec } = kustomization;
  const built = build(files, { ...kustomization, spec: { ...spec, targetNamespace: 'other' } });
  assert.equal(built.objects[0]?.object.metadata.namespace, 'other');
  assert.equal(lineOf(built, 0, '/metadata/namespace'), 'cluster/apps.yaml:7');
});

test('a Kustomization that no file has, or two files have, leaves the origin in the root file', () => {
  const { 'cluster/apps.yaml': _gone, ...without } = files;
  assert.equal(lineOf(build(without), 0, '/metadata/namespace'), 'apps/kustomization.yaml:1');
  const twice = build({ ...files, 'other/apps.yaml': flux });
  assert.equal(lineOf(twice, 0, '/metadata/namespace'), 'apps/kustomization.yaml:1');
});

test('a mistake in a patch of the spec is told with its line in the file of the Kustomization', () => {
  const wrong = flux
    .replace('name: a}', 'name: gone}')
    .replace('    - target: {kind: ConfigMap}\n      ', '    - ');
  const of = parseYaml('', wrong).value[0]?.value as unknown as Kustomization;
  const [diagnostic] = build({ ...files, 'cluster/apps.yaml': wrong }, of).diagnostics;
  assert.equal(diagnostic?.path, 'cluster/apps.yaml');
  assert.equal(diagnostic?.range.start.line, 11);
});
