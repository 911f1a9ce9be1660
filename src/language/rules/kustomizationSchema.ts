import { noEffects } from '../model/overlayEffects.ts';
import { fieldsOf, rangeOf, textAt } from '../model/yamlAccess.ts';
import { validateNode } from '../schemas/validateNode.ts';
import { problem, type Rule } from './rule.ts';

const group = 'kustomize.config.k8s.io';

/** The fields of kustomization.yaml, as kustomize reads it: strictly. */
export const kustomizationSchema: Rule = {
  codes: ['unknown-field', 'wrong-type', 'invalid-value', 'unknown-kind'],
  check(workspace, file) {
    const root = file.kustomization;
    if (root === undefined) return [];
    const kind = textAt(root, ['kind']) ?? 'Kustomization';
    const isComponent = kind === 'Component';
    const expected = isComponent ? `${group}/v1alpha1` : `${group}/v1beta1`;
    const apiVersion = textAt(root, ['apiVersion']) ?? expected;
    const schema = workspace.schemas.find(apiVersion, kind);
    // kustomize takes every version of its group for a Kustomization.
    const known = schema ?? workspace.schemas.find(expected, isComponent ? 'Component' : 'Kustomization');
    if (known === undefined) return [];
    const checked = { file: file.path, root, kind: known, role: 'object', effects: noEffects } as const;
    const found = validateNode(checked);
    if (schema !== undefined) return found;
    const wrong = fieldsOf(root).find(
      (field) => field.name === (kind === known.kind ? 'apiVersion' : 'kind'),
    );
    if (wrong === undefined) return found;
    const message = `kustomize knows no ${kind} in ${apiVersion}`;
    const hint = `write apiVersion: ${expected} and kind: ${known.kind}, or leave both out`;
    const place = { path: file.path, range: rangeOf(wrong.value) };
    return [problem('unknown-kind', 'error', place, message, hint), ...found];
  },
};
