import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import type { KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { prepareOverlay } from './overlay.ts';

const base: KustomizationSpec = {
  interval: '1m',
  prune: true,
  sourceRef: { kind: 'GitRepository', name: 'x' },
};
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n';

function rootOf(
  files: Record<string, string>,
  spec: Partial<KustomizationSpec> = {},
  name = 'kustomization.yaml',
): string {
  return (
    prepareOverlay(FileTree.from(Object.entries(files)), '', { ...base, ...spec }).value.text(name) ?? ''
  );
}

test('a folder without a kustomization gets one that lists its manifests, and folders that have their own', () => {
  const text = rootOf({
    'b.yaml': configMap,
    'a/c.yml': configMap,
    'k/kustomization.yaml': '',
    'k/x.yaml': configMap,
    'README.md': '',
    'z.json': '{}',
  });
  assert.equal(
    text,
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ./a/c.yml\n- ./b.yaml\n- ./k\n',
  );
});

test('an empty folder builds nothing', () => {
  assert.match(rootOf({ 'README.md': '' }), /^namespace: _placeholder$/m);
});

test('a file that needs no change keeps its bytes', () => {
  const file = '# why\nresources: [a.yaml]\n';
  assert.equal(rootOf({ 'kustomization.yaml': file, 'a.yaml': configMap }), file);
});

test('a file of another name is the one that is changed', () => {
  const text = rootOf(
    { 'kustomization.yml': 'resources: [a.yaml]\n', 'a.yaml': configMap },
    { targetNamespace: 'shop' },
    'kustomization.yml',
  );
  assert.equal(text, 'resources:\n- a.yaml\nnamespace: shop\n');
});

test('the spec replaces namespace, prefix and suffix, and appends patches and components', () => {
  const file = 'resources: [a.yaml]\nnamespace: old\nnamePrefix: old-\npatches: [{path: p.yaml}]\n';
  const text = rootOf(
    { 'kustomization.yaml': file, 'here/kustomization.yaml': '' },
    {
      targetNamespace: 'new',
      namePrefix: 'new-',
      patches: [{ patch: 'x' }],
      components: ['here', 'gone'],
      ignoreMissingComponents: true,
    },
  );
  assert.equal(
    text,
    'resources:\n- a.yaml\nnamespace: new\nnamePrefix: new-\npatches:\n- path: p.yaml\n- patch: x\ncomponents:\n- here\n',
  );
});

test('images are merged by name, tag and digest as a unit', () => {
  const file = 'resources: [a.yaml]\nimages:\n- name: web\n  newName: mirror/web\n  newTag: "1"\n';
  const text = rootOf(
    { 'kustomization.yaml': file },
    {
      images: [
        { name: 'web', digest: 'sha256:0' },
        { name: 'api', newTag: '2' },
      ],
    },
  );
  assert.match(
    text,
    /- name: web\n {2}newName: mirror\/web\n {2}digest: sha256:0\n- name: api\n {2}newTag: "2"\n$/,
  );
});

test('a root without resources marks the origin of its objects, as upstream forces it to', () => {
  assert.match(
    rootOf({ 'kustomization.yaml': 'components: [c]\n' }),
    /buildMetadata:\n- originAnnotations\n/,
  );
});

test('what kustomize does not know is dropped from the root and told at its line', () => {
  const tree = FileTree.from([['kustomization.yaml', 'resources: [a.yaml]\nnamspace: shop\n']]);
  const { value, diagnostics } = prepareOverlay(tree, '', base);
  assert.equal(value.text('kustomization.yaml'), 'resources:\n- a.yaml\n');
  assert.deepEqual(
    diagnostics.map(({ code, range }) => [code, range.start.line]),
    [['kustomization-member-dropped', 1]],
  );
});

test('a broken manifest, a file that is no manifest, and a remote component fail the build with their place', () => {
  const refuses = (files: Record<string, string>, spec: Partial<KustomizationSpec> = {}): void => {
    assert.throws(
      () => rootOf(files, spec),
      (error) => isPlumbError(error, 'BuildFailed'),
    );
  };
  refuses({ 'a.yaml': 'a: [1' });
  refuses({ 'values.yaml': 'replicas: 1\n' });
  refuses({ 'kustomization.yaml': 'resources: [a.yaml]\n' }, { components: ['https://example.com/x'] });
});
