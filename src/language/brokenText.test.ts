import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLanguageService } from './languageService.ts';

const texts = [
  `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: &ns flux-system }
spec:
  interval: 10m
  path: ./apps
  dependsOn:
  - name: infra
    namespace: *ns
  - { name: "db" }
  sourceRef: { kind: GitRepository, name: fleet }
  patches:
    - patch: |
        - op: add
          path: /a
      target: { kind: Deployment }
  postBuild:
    <<: { substitute: { a: b } }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: a }
`,
  `resources:
  - a.yaml
  - ../base # comment
patches:
  - path: p.yaml
    target: { kind: Deployment, name: web }
configMapGenerator:
  - name: x
    files: [a=b.txt]
images: [{ name: a, newTag: "1" }]
`,
];
const pieces = [
  '',
  ' ',
  '\n',
  ':',
  '- ',
  '{',
  '}',
  '[',
  '"',
  "'",
  '|',
  '&a',
  '*a',
  '<<: ',
  '---\n',
  '\t',
  '\u0000',
  '😀',
  '!!int ',
];

test('answers whatever is typed, in any place, without failing', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % below;
  };
  const service = createLanguageService({ uriOf: (path) => path });
  const paths = ['a.yaml', 'kustomization.yaml'];
  for (let round = 0; round < 600; round++) {
    const chosen = random(2);
    let text = texts[chosen] ?? '';
    for (let edits = random(4); edits >= 0; edits--) {
      const start = random(text.length);
      text = text.slice(0, start) + (pieces[random(pieces.length)] ?? '') + text.slice(start + random(6));
    }
    const path = paths[chosen] ?? '';
    service.setFile(path, text);
    const lines = text.split('\n');
    const line = random(lines.length);
    const position = { line, character: random((lines[line]?.length ?? 0) + 1) };
    for (const diagnostic of paths.flatMap((other) => service.diagnostics(other))) {
      assert.ok(diagnostic.message !== '' && diagnostic.range.start.line <= diagnostic.range.end.line);
    }
    service.completions(path, position);
    service.hover(path, position);
    service.definitions(path, position);
    service.links(path);
    service.quickFixes(path, { start: position, end: position });
  }
});
