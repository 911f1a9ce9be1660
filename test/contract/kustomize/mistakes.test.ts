import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../../../src/base/diagnostic.ts';
import { FileTree } from '../../../src/base/fileTree.ts';
import { buildKustomization } from '../../../src/lib/kustomize/buildKustomization.ts';
import { mistakes, presentFiles } from './mistakes.ts';

function errorsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const { objects, diagnostics } = buildKustomization(
    FileTree.from(Object.entries({ ...presentFiles, ...files })),
    '',
    { order: 'legacy', untyped: 'built', loadRestrictions: 'rootOnly' },
  );
  assert.equal(objects.length, 0);
  return diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
}

for (const { kustomization, error, files } of mistakes)
  test(`tells ${error}`, () => {
    assert.deepEqual(errorsOf({ ...files, 'kustomization.yaml': kustomization }), [error]);
  });

test('tells mistakes in several files and fields at once', () => {
  assert.deepEqual(
    errorsOf({
      'kustomization.yaml': `resources: [a.yml, bad.yaml, comp, sub]
components: [sub]
namePrefix: 1
images: [{name: nginx, tag: "1"}]
`,
    }),
    [
      'kustomization.yaml:3:13: error: namePrefix must be text, not the number 1 (quote it)',
      'kustomization.yaml:4:24: error: unknown field "tag" (did you mean newTag?)',
    ],
  );
  assert.deepEqual(
    errorsOf({
      'kustomization.yaml': `resources: [a.yml, bad.yaml, comp, sub]
components: [sub]
configMapGenerator:
- {name: x, files: [gone.ini], literals: [a]}
- {name: z, behavior: merge}
patches:
- path: gone.yaml
- target: {name: "("}
  path: b.yaml
replacements:
- path: gone.yaml
crds: [b.yaml]
`,
    }),
    [
      'kustomization.yaml:1:13: error: there is no file a.yml (did you mean a.yaml?)',
      'bad.yaml:2:1: error: a list or mapping in brackets is not closed',
      'kustomization.yaml:1:30: error: comp is a component (list it under components)',
      'b.yaml:1:13: error: apiVersion must be a mapping (crds takes OpenAPI definitions by name; a CustomResourceDefinition belongs under resources)',
      'kustomization.yaml:4:43: error: invalid literal "a" (write key=value)',
      'kustomization.yaml:5:3: error: there is no ConfigMap z to merge (its name is the one in the base, and it must be in the same namespace)',
      'kustomization.yaml:2:14: error: sub is a kustomization, not a component (list it under resources, or set kind: Component there)',
      'kustomization.yaml:7:9: error: there is no file gone.yaml',
      'kustomization.yaml:8:18: error: invalid regular expression "^(?:()$": error parsing regexp: missing closing ): `^(?:()$`',
      'kustomization.yaml:11:9: error: there is no file gone.yaml',
    ],
  );
});
