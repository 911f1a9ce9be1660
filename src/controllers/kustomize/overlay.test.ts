import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import type { KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { buildKustomization } from '../../lib/kustomize/buildKustomization.ts';
import { readFolderIgnore } from '../../lib/sourceignore/folderIgnore.ts';
import { overlayWithout, prepareOverlay } from './overlay.ts';

const base: KustomizationSpec = {
  interval: '1m',
  prune: true,
  sourceRef: { kind: 'GitRepository', name: 'x' },
};
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n';

function rootOf(files: Record<string, string>, spec: Partial<KustomizationSpec> = {}): string {
  const overlay = prepareOverlay(FileTree.from(Object.entries(files)), '', { ...base, ...spec });
  return Buffer.from(overlay.files.get('kustomization.yaml') ?? []).toString();
}

function build(
  files: Record<string, string>,
  spec: Partial<KustomizationSpec> = {},
): ReturnType<typeof buildKustomization> {
  const { files: tree, rootChanges } = prepareOverlay(FileTree.from(Object.entries(files)), '', {
    ...base,
    ...spec,
  });
  return buildKustomization(tree, '', { rootChanges });
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

const pod = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: "web:0"}
    - {name: api, image: "api:0"}
`;

test('the spec replaces namespace, prefix and suffix, and appends patches and components', () => {
  const { objects, diagnostics } = build(
    {
      'kustomization.yaml':
        'resources: [a.yaml]\nnamespace: old\nnamePrefix: old-\npatches: [{path: p.yaml}]\n',
      'a.yaml': configMap,
      'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: file, y: file}\n',
      'here/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {c: here}\n',
    },
    {
      targetNamespace: 'new',
      namePrefix: 'new-',
      patches: [{ patch: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: spec}\n' }],
      components: ['here', 'gone'],
      ignoreMissingComponents: true,
    },
  );
  assert.deepEqual(diagnostics, []);
  assert.equal(
    JSON.stringify(objects[0]?.object),
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new-a","namespace":"new","annotations":{"c":"here"}},"data":{"x":"spec","y":"file"}}',
  );
});

test('images are merged by name, tag and digest as a unit', () => {
  const { objects } = build(
    {
      'kustomization.yaml':
        'resources: [a.yaml]\nimages:\n- name: web\n  newName: mirror/web\n  newTag: "1"\n',
      'a.yaml': pod,
    },
    {
      images: [
        { name: 'web', digest: 'sha256:0' },
        { name: 'api', newTag: '2' },
      ],
    },
  );
  assert.match(JSON.stringify(objects[0]?.object), /"mirror\/web@sha256:0".*"api:2"/);
});

test('fields keep the lines of the root file, and what the spec sets stands at its start', () => {
  const { objects } = build(
    {
      'kustomization.yaml': '# why\nresources: [a.yaml]\ncommonLabels:\n  a: "1"\n',
      'a.yaml': configMap,
    },
    { targetNamespace: 'shop' },
  );
  const lineOf = (pointer: string) => {
    const origin = objects[0]?.origins.at(pointer);
    return `${origin?.path}:${(origin?.range.start.line ?? 0) + 1}`;
  };
  assert.equal(lineOf('/metadata/labels/a'), 'kustomization.yaml:4');
  assert.equal(lineOf('/metadata/namespace'), 'kustomization.yaml:2');
  assert.equal(lineOf('/metadata/name'), 'a.yaml:3');
});

test('a root without resources marks the origin of its objects, as upstream forces it to', () => {
  const { objects } = build({
    'kustomization.yaml': 'configMapGenerator: [{name: a, literals: [x=y]}]\n',
  });
  assert.match(
    objects[0]?.object.metadata.annotations?.['config.kubernetes.io/origin'] ?? '',
    /configuredIn: kustomization.yaml/,
  );
});

test('what kustomize does not know is dropped from the root and told at its line', () => {
  const { objects, diagnostics } = build({
    'kustomization.yaml': 'resources: [a.yaml]\nnamespace_: shop\nlabels:\n  - pairz: {}\n',
    'a.yaml': configMap,
  });
  assert.equal(objects.length, 1);
  assert.deepEqual(
    diagnostics.map(({ code, severity, range }) => [code, severity, range.start.line]),
    [
      ['kustomization-field-dropped', 'warning', 1],
      ['kustomization-field-dropped', 'warning', 3],
    ],
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

function buildIgnoring(files: Record<string, string>): ReturnType<typeof buildKustomization> {
  const tree = FileTree.from(Object.entries(files));
  const ignore = readFolderIgnore(tree, '');
  const overlay = overlayWithout({ tree, folder: '', spec: base, ignore });
  return buildKustomization(overlay.files, '', { rootChanges: overlay.rootChanges });
}

test('what ignore files leave out is not built, whether a kustomization lists it or not', () => {
  const files = {
    'a.yaml': configMap,
    'notes.yaml': 'no: manifest\n',
    'crd.json': '{',
    '.sourceignore': 'notes.yaml\ncrd.json\n',
  };
  const listed = 'resources: [a.yaml, notes.yaml]\ncrds: [crd.json]\n';
  for (const all of [files, { ...files, 'kustomization.yaml': listed }]) {
    const { objects, diagnostics } = buildIgnoring(all);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      objects.map(({ object }) => object.metadata.name),
      ['a'],
    );
  }
});

test('a kustomization of which nothing is left is told, and so is an ignored file that is not there', () => {
  const told = (files: Record<string, string>) =>
    buildIgnoring(files).diagnostics.map(({ path, message }) => `${path}: ${message}`);
  assert.deepEqual(
    told({ 'a.yaml': configMap, 'kustomization.yaml': 'resources: [a.yaml]\n', '.sourceignore': '*\n' }),
    ['kustomization.yaml: nothing is left to build: all that the kustomization lists is ignored'],
  );
  assert.deepEqual(told({ 'kustomization.yaml': 'resources: [gone.yaml]\n', '.sourceignore': '*\n' }), [
    'kustomization.yaml: there is no file gone.yaml',
  ]);
});
