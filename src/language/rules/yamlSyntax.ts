import type { Rule } from './rule.ts';

/** Text that is no YAML, in files that hold Kubernetes objects or that a kustomization uses as such. */
export const yamlSyntax: Rule = {
  codes: [
    'yaml-duplicate-key',
    'yaml-excessive-aliases',
    'yaml-invalid-character',
    'yaml-invalid-key',
    'yaml-invalid-merge',
    'yaml-invalid-tag',
    'yaml-not-json',
    'yaml-recursive-alias',
    'yaml-syntax',
  ],
  check(workspace, file) {
    const uses = workspace.usesOf(file.path);
    const isOurs = file.isManifest || uses.has('resource') || uses.has('patch');
    return isOurs && !uses.has('content') ? [...file.problems] : [];
  },
};
