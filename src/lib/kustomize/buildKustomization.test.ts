import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import { FileTree } from '../../base/fileTree.ts';
import { BuildCache } from './buildCache.ts';
import { buildKustomization, type BuildOptions } from './buildKustomization.ts';
import { printBuild } from './printBuild.ts';

/** A tree from one text: each file starts with a line `=== path`. */
function fileTree(text: string): FileTree {
  const files = text.split(/^=== (.+)\n/m).slice(1);
  return FileTree.from(
    files.flatMap((part, index) => (index % 2 === 0 ? [[part, files[index + 1] ?? ''] as const] : [])),
  );
}

function checkBuild(files: string, path: string, expected: string, options: BuildOptions = {}): void {
  const { objects, diagnostics } = buildKustomization(fileTree(files), path, options);
  assert.deepEqual(diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic), []);
  assert.equal(printBuild(objects), expected);
}

function checkErrors(
  files: string,
  path: string,
  expected: readonly string[],
  options: BuildOptions = {},
): void {
  const { objects, diagnostics } = buildKustomization(fileTree(files), path, options);
  assert.equal(objects.length, 0);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic),
    expected,
  );
}

const app = `=== base/kustomization.yaml
resources: [deployment.yaml]
=== base/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.25
        env:
        - name: A
          value: a
`;

test('builds an overlay with namespace, prefix, patch and image', () => {
  checkBuild(
    `${app}=== overlay/kustomization.yaml
resources: [../base]
namespace: prod
namePrefix: p-
patches:
- path: patch.yaml
- target: {kind: Deployment, name: w.*}
  patch: |-
    - op: add
      path: /spec/replicas
      value: 3
images:
- name: nginx
  newTag: "1.27"
=== overlay/patch.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        env:
        - name: B
          value: b
`,
    'overlay',
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: p-web
  namespace: prod
spec:
  replicas: 3
  template:
    spec:
      containers:
      - env:
        - name: B
          value: b
        - name: A
          value: a
        image: nginx:1.27
        name: web
`,
  );
});

test('tells for each field the file and line that set it', () => {
  const tree = fileTree(`${app}=== overlay/kustomization.yaml
resources: [../base]
namePrefix: p-
patches:
- target: {kind: Deployment}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any}
    spec:
      replicas: 2
images:
- name: nginx
  newTag: "1.27"
`);
  const [web] = buildKustomization(tree, 'overlay').objects;
  const at = (pointer: string) => {
    const origin = web?.origins.at(pointer);
    return origin === undefined
      ? undefined
      : `${origin.path}:${origin.range.start.line + 1}:${origin.range.start.character + 1}`;
  };
  assert.equal(at('/metadata/name'), 'overlay/kustomization.yaml:2:13');
  assert.equal(at('/spec/replicas'), 'overlay/kustomization.yaml:10:17');
  assert.equal(at('/spec/template/spec/containers/0/image'), 'overlay/kustomization.yaml:13:11');
  assert.equal(at('/spec/template/spec/containers/0/env/0/value'), 'base/deployment.yaml:13:18');
  assert.equal(at('/kind'), 'base/deployment.yaml:2:7');
  assert.equal(at(''), 'base/deployment.yaml:1:1');
  assert.deepEqual([...(web?.origins.entries() ?? [])].map(([pointer]) => pointer).sort(), [
    '/apiVersion',
    '/kind',
    '/metadata/name',
    '/spec/replicas',
    '/spec/template/spec/containers/0/env/0/name',
    '/spec/template/spec/containers/0/env/0/value',
    '/spec/template/spec/containers/0/image',
    '/spec/template/spec/containers/0/name',
  ]);
});

test('follows a generated name in what refers to it', () => {
  checkBuild(
    `=== kustomization.yaml
configMapGenerator:
- name: settings
  literals: [a=b]
resources: [pod.yaml]
=== pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes:
  - configMap: {name: settings}
`,
    '',
    `apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  volumes:
  - configMap:
      name: settings-4h2mbtbbt6
---
apiVersion: v1
data:
  a: b
kind: ConfigMap
metadata:
  name: settings-4h2mbtbbt6
`,
  );
});

test('tells all problems at once, each with its place', () => {
  checkErrors(
    `=== kustomization.yaml
resources:
- a.yaml
- missing.yaml
- b.yaml
- sub
patches:
- patch: "- op: add"
- path: nowhere.yaml
=== a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {}
=== b.yaml
a: [
=== sub/kustomization.yaml
resource: [x.yaml]
`,
    '',
    [
      'a.yaml:2:7: error: the ConfigMap has no metadata.name (give it a name; generateName is not supported by kustomize)',
      'kustomization.yaml:3:3: error: there is no file missing.yaml',
      'b.yaml:2:1: error: a list or mapping in brackets is not closed',
      'sub/kustomization.yaml:1:1: error: unknown field "resource" (did you mean resources?)',
      'kustomization.yaml:7:10: error: a JSON 6902 patch needs a target (add target with kind and name)',
      'kustomization.yaml:8:9: error: there is no file nowhere.yaml',
    ],
  );
});

test('tells a patch for an object that is not there, and what may have been meant', () => {
  checkErrors(
    `${app}=== overlay/kustomization.yaml
resources: [../base]
patches:
- patch: |
    apiVersion: apps/v1beta1
    kind: Deployment
    metadata: {name: web}
`,
    'overlay',
    [
      'overlay/kustomization.yaml:6:22: error: the patch changes Deployment web, which is not among the resources (there is one with apiVersion apps/v1 and no namespace)',
    ],
  );
});

test('refuses cycles and paths that leave the tree or, when asked to, the root', () => {
  checkErrors(
    '=== a/kustomization.yaml\nresources: [../b]\n=== b/kustomization.yaml\nresources: [../a]\n',
    'a',
    [
      'b/kustomization.yaml:1:13: error: ../a leads back to ../a, which is being built: a cycle (move what both need into a folder of its own)',
    ],
  );
  checkErrors('=== a/kustomization.yaml\nresources: [../../x.yaml]\n', 'a', [
    'a/kustomization.yaml:1:13: error: ../../x.yaml is outside of the source (copy the file below the kustomization, or build with LoadRestrictionsNone as Flux does)',
  ]);
  const files =
    '=== a/kustomization.yaml\nresources: [../x.yaml]\n=== x.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\n';
  assert.equal(buildKustomization(fileTree(files), 'a').objects.length, 1);
  checkErrors(
    files,
    'a',
    [
      "a/kustomization.yaml:1:13: error: ../x.yaml is not in or below the kustomization's folder (copy the file below the kustomization, or build with LoadRestrictionsNone as Flux does)",
    ],
    { loadRestrictions: 'rootOnly' },
  );
});

test('asks for remote bases, takes them when they are given, and refuses them when told to', () => {
  const url = 'https://github.com/acme/base//deploy?ref=v1';
  const files = `=== kustomization.yaml\nresources:\n- ${url}\n`;
  const { objects, needs } = buildKustomization(fileTree(files), '');
  assert.equal(objects.length, 0);
  assert.deepEqual(needs, [
    {
      type: 'git',
      url,
      repository: 'https://github.com/acme/base',
      ref: 'v1',
      path: 'deploy',
      submodules: true,
    },
  ]);
  const base = fileTree(
    '=== deploy/kustomization.yaml\nresources: [x.yaml]\n=== deploy/x.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\n',
  );
  checkBuild(files, '', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n', {
    remotes: new Map([[url, base]]),
  });
  checkErrors(
    files,
    '',
    [
      `kustomization.yaml:2:3: error: remote bases are not allowed: ${url} (copy the files into the repository, or make them a source of their own)`,
    ],
    { refuseRemotes: true },
  );
});

test('builds again only what a change concerns, with the same result as a build from nothing', () => {
  const cache = new BuildCache();
  let tree = fileTree(`${app}=== overlay/kustomization.yaml
resources: [../base, many.yaml]
namePrefix: p-
=== overlay/many.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
`);
  const first = buildKustomization(tree, 'overlay', { cache });
  const many = tree.text('overlay/many.yaml') ?? '';
  tree = tree.with(
    'overlay/many.yaml',
    many.replace('metadata: {name: one}', 'metadata: {name: one}\ndata: {a: b}'),
  );
  const second = buildKustomization(tree, 'overlay', { cache });
  assert.equal(printBuild(second.objects), printBuild(buildKustomization(tree, 'overlay').objects));
  const same = second.objects.filter(({ object }, index) => object === first.objects[index]?.object);
  assert.deepEqual(
    same.map(({ object }) => object.metadata.name),
    ['p-web', 'p-two'],
  );
  assert.equal(first.objects[2]?.origins.at('/metadata/name')?.path, 'overlay/kustomization.yaml');
  assert.equal(first.objects[2]?.origins.at('/kind')?.range.start.line, 5);
  assert.equal(second.objects[2]?.origins.at('/kind')?.range.start.line, 6);
});

test('keeps apart what builds with other options leave in the cache', () => {
  const cache = new BuildCache();
  const tree = fileTree(`${app}=== middle/kustomization.yaml
resources: [../base]
namePrefix: p-
configMapGenerator:
- name: files
  files: [../base/deployment.yaml]
=== plain/kustomization.yaml
resources: [../middle]
=== marked/kustomization.yaml
resources: [../middle]
buildMetadata: [originAnnotations, transformerAnnotations]
`);
  for (const path of ['plain', 'marked', 'middle', 'plain'])
    for (const loadRestrictions of ['none', 'rootOnly', 'none'] as const) {
      const kept = buildKustomization(tree, path, { loadRestrictions, cache });
      const fresh = buildKustomization(tree, path, { loadRestrictions });
      assert.equal(printBuild(kept.objects), printBuild(fresh.objects));
      assert.deepEqual(kept.diagnostics, fresh.diagnostics);
    }
});

test('builds again when another file is behind a URL', () => {
  const cache = new BuildCache();
  const url = 'https://example.com/all.yaml';
  const tree = fileTree(`=== kustomization.yaml\nresources: ['${url}']\n`);
  const built = (name: string) => {
    const bytes = Buffer.from(`apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`);
    const remotes = new Map([[url, bytes]]);
    return buildKustomization(tree, '', { cache, remotes }).objects.map(({ object }) => object.metadata.name);
  };
  assert.deepEqual(built('one'), ['one']);
  assert.deepEqual(built('two'), ['two']);
});

const configMap = `=== kustomization.yaml
resources: [c.yaml]
patches:
- path: p.yaml
=== c.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: b}
=== p.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
`;

test('a null in a patch makes nothing where there was nothing', () => {
  checkBuild(
    configMap.replace(/\{name: c\}\n$/, '{name: c, annotations: {gone: null, kept: x}}\n'),
    '',
    'apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  annotations:\n    kept: x\n  name: c\n',
  );
});

test('a directive to replace the whole object changes nothing, one to delete it does', () => {
  const unchanged = 'apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: c\n';
  checkBuild(`${configMap}data: {x: y}\n$patch: replace\n`, '', unchanged);
  checkBuild(`${configMap}$patch: delete\n`, '', '');
});
