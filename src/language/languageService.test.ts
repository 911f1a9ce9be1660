import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarkupContent, type CompletionItem } from 'vscode-languageserver-types';
import type { Position } from '../base/position.ts';
import { createLanguageService, type LanguageService } from './languageService.ts';

interface Marked {
  readonly service: LanguageService;
  readonly path: string;
  readonly position: Position;
}

/** A service that knows the files of one text, each begun by `=== path`, and the place of the `¦` in one of them. */
function marked(files: string): Marked {
  const service = createLanguageService({ uriOf: (path) => `file:///${path}` });
  let place: { path: string; position: Position } | undefined;
  for (const part of files.split(/^=== /m).slice(1)) {
    const end = part.indexOf('\n');
    const path = part.slice(0, end);
    const text = part.slice(end + 1);
    const before = text.split('¦')[0] ?? '';
    const lines = before.split('\n');
    if (before !== text) {
      place = { path, position: { line: lines.length - 1, character: (lines.at(-1) ?? '').length } };
    }
    service.setFile(path, text.replace('¦', ''));
  }
  assert.ok(place !== undefined, 'no ¦ in the files');
  return { service, ...place };
}

function complete(files: string): CompletionItem[] {
  const { service, path, position } = marked(files);
  return service.completions(path, position);
}

function labels(files: string): string[] {
  return complete(files).map((item) => item.label);
}

function hover(files: string): string | undefined {
  const { service, path, position } = marked(files);
  const contents = service.hover(path, position)?.contents;
  return MarkupContent.is(contents) ? contents.value : undefined;
}

function define(files: string): string[] {
  const { service, path, position } = marked(files);
  return service
    .definitions(path, position)
    .map(({ uri, range }) => `${uri}:${range.start.line + 1}:${range.start.character + 1}`);
}

const ks = 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n';
const sources = `=== sources.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: fleet, namespace: flux-system }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: charts, namespace: flux-system }
`;

test('completes the fields that a mapping does not have yet, required ones first', () => {
  const items = complete(`=== a.yaml\n${ks}spec:\n  prune: true\n  ¦\n`);
  const names = items.map(({ label }) => label);
  assert.ok(!names.includes('prune'));
  const sorted = [...items].sort((a, b) => ((a.sortText ?? '') < (b.sortText ?? '') ? -1 : 1));
  assert.deepEqual(
    sorted.slice(0, 2).map(({ label }) => label),
    ['interval', 'sourceRef'],
  );
  assert.equal(sorted[0]?.detail, 'string, required');
  assert.match(JSON.stringify(sorted[0].documentation), /How often/);
});

test('completes in a document that cannot be read as YAML', () => {
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  sourceRef:\n    na¦\n  interval: [\n`), [
    'apiVersion',
    'kind',
    'name',
    'namespace',
  ]);
});

test('opens mappings and lists on the next line', () => {
  const items = complete(`=== a.yaml\n${ks}spec:\n  ¦\n`);
  const edits = new Map(items.map(({ label, textEdit }) => [label, textEdit?.newText]));
  assert.equal(edits.get('interval'), 'interval: ');
  assert.equal(edits.get('sourceRef'), 'sourceRef:\n    ');
  assert.equal(edits.get('dependsOn'), 'dependsOn:\n    - ');
});

test('completes values from closed sets and booleans', () => {
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  prune: ¦\n`), ['true', 'false']);
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  deletionPolicy: Or¦\n`), [
    'MirrorPrune',
    'Delete',
    'WaitForTermination',
    'Orphan',
  ]);
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  buildMetadata:\n    - ¦\n`), [
    'originAnnotations',
    'transformerAnnotations',
  ]);
});

test('completes apiVersion and kind from each other', () => {
  assert.deepEqual(labels('=== a.yaml\napiVersion: ¦\nkind: HelmRelease\n'), ['helm.toolkit.fluxcd.io/v2']);
  assert.deepEqual(labels('=== a.yaml\napiVersion: batch/v1\nkind: ¦\n'), ['CronJob', 'Job']);
});

test('completes names of sources of the kind that is written beside, and of dependencies', () => {
  assert.deepEqual(
    labels(`=== a.yaml\n${ks}spec:\n  sourceRef:\n    kind: OCIRepository\n    name: ¦\n${sources}`),
    ['charts'],
  );
  const apps = `${ks}metadata: { name: apps }\n`;
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  dependsOn:\n    - name: ¦\n=== b.yaml\n${apps}`), [
    'apps',
  ]);
});

test('completes paths: resources of a kustomization, folders of a source', () => {
  const files = `=== apps/settings.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }
=== base/kustomization.yaml\nresources: []\n=== notes.md\n`;
  assert.deepEqual(labels(`=== apps/kustomization.yaml\nresources:\n  - ¦\n${files}`), [
    'settings.yaml',
    '../base',
  ]);
  assert.deepEqual(labels(`=== a.yaml\n${ks}spec:\n  path: ¦\n${files}`), ['./apps', './base']);
});

test('replaces the word around the position and nothing else', () => {
  const [item] = complete(`=== a.yaml\n${ks}spec:\n  sourceRef:\n    ki¦nd: GitRepository\n`);
  assert.deepEqual(item?.textEdit, {
    range: { start: { line: 4, character: 4 }, end: { line: 4, character: 8 } },
    newText: 'apiVersion: ',
  });
});

test('tells on hover what a field is, its type, its default and its values', () => {
  assert.equal(
    hover(`=== a.yaml\n${ks}spec:\n  pru¦ne: true\n`),
    '**spec.prune** · boolean · required\n\nDeletes objects from the cluster once they are gone from the source.',
  );
  assert.match(
    hover(`=== a.yaml\n${ks}spec:\n  patches:\n    - target:\n        ki¦nd: Deployment\n`) ?? '',
    /^\*\*spec\.patches\.target\.kind\*\* · string\n\nKind of the objects\.$/,
  );
  assert.match(
    hover('=== a.yaml\napiVersion: v1\nkind: Service\nspec:\n  ty¦pe: NodePort\n') ?? '',
    /One of `ClusterIP`, /,
  );
  assert.match(hover(`=== a.yaml\napiVersion: v1\nkind: Ser¦vice\n`) ?? '', /v1 · namespaced/);
  assert.equal(hover('=== a.yaml\nno: kub¦e\n'), undefined);
});

test('finds definitions of sources, dependencies and paths', () => {
  assert.deepEqual(
    define(`=== a.yaml\n${ks}spec:\n  sourceRef:\n    kind: GitRepository\n    name: fl¦eet\n${sources}`),
    ['file:///sources.yaml:3:19'],
  );
  const infra = `${ks}metadata: { name: infra }\n`;
  assert.deepEqual(define(`=== a.yaml\n${ks}spec:\n  dependsOn:\n    - name: in¦fra\n=== b.yaml\n${infra}`), [
    'file:///b.yaml:3:19',
  ]);
  assert.deepEqual(
    define(`=== a.yaml\n${ks}spec:\n  path: ./ap¦ps\n=== apps/kustomization.yaml\nresources: []\n`),
    ['file:///apps/kustomization.yaml:1:1'],
  );
  assert.deepEqual(
    define(
      '=== apps/kustomization.yaml\nresources:\n  - ../ba¦se\n=== base/kustomization.yaml\nresources: []\n',
    ),
    ['file:///base/kustomization.yaml:1:1'],
  );
});

test('links every path that leads somewhere', () => {
  const { service, path } = marked(`=== kustomization.yaml
resources: [a.yaml, gone.yaml, "https://example.com/x.yaml"]
patches: [{ path: p.yaml }]¦
=== a.yaml
=== p.yaml
`);
  assert.deepEqual(
    service.links(path).map(({ target }) => target),
    ['file:///a.yaml', 'file:///p.yaml'],
  );
});

test('proposes the edit that a hint names', () => {
  const { service, path, position } = marked(`=== a.yaml\n${ks}spec:\n  intervall¦: 1m\n`);
  const fixes = service.quickFixes(path, { start: position, end: position });
  assert.deepEqual(
    fixes.map(({ title, edit }) => [title, edit?.changes]),
    [
      [
        'Replace with interval',
        {
          'file:///a.yaml': [
            {
              range: { start: { line: 3, character: 2 }, end: { line: 3, character: 11 } },
              newText: 'interval',
            },
          ],
        },
      ],
    ],
  );
});

test('judges other files anew when a name they use comes or goes', () => {
  const service = createLanguageService({ uriOf: (path) => path });
  const user = `${ks}metadata: { name: a, namespace: x }
spec: { interval: 1m, prune: true, sourceRef: { kind: GitRepository, name: fleet } }\n`;
  const codes = (): string[] => service.diagnostics('user.yaml').map(({ code }) => code);
  service.setFile('user.yaml', user);
  assert.deepEqual(codes(), ['missing-source']);
  const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: fleet, namespace: x }
spec: { interval: 1m, url: "https://example.com/fleet" }\n`;
  service.setFile('source.yaml', source);
  assert.deepEqual(codes(), []);
  service.setFile('source.yaml', `${source}half: [`);
  assert.deepEqual(codes(), [], 'half-typed text hides no names');
  service.deleteFile('source.yaml');
  assert.deepEqual(codes(), ['missing-source']);
});

test('forgets a cycle that another file breaks', () => {
  const service = createLanguageService({ uriOf: (path) => path });
  const needs = (name: string, other: string): string => `${ks}metadata: { name: ${name}, namespace: x }
spec: { interval: 1m, prune: true, sourceRef: { kind: Bucket, name: b }, dependsOn: [{ name: ${other} }] }\n`;
  const codes = (): string[] => service.diagnostics('a.yaml').map(({ code }) => code);
  service.setFile('a.yaml', needs('a', 'b'));
  service.setFile('b.yaml', needs('b', 'a'));
  assert.ok(codes().includes('dependency-cycle'));
  service.setFile('b.yaml', needs('b', 'c'));
  assert.ok(!codes().includes('dependency-cycle'));
});

test('gives the same list again when nothing changed', () => {
  const service = createLanguageService({ uriOf: (path) => path });
  service.setFile('a.yaml', `${ks}spec: {}\n`);
  assert.equal(service.diagnostics('a.yaml'), service.diagnostics('a.yaml'));
});
