import { goJson } from './goJson.ts';
import type { SchemaTable, TypeTable } from './typeTable.ts';

/** What kustomize checks in code and its Go types therefore do not say. */
const closed: TypeTable = {
  ConfigMapArgs: { behavior: '=create|merge|replace' },
  Kustomization: { buildMetadata: '[]=managedByLabel|originAnnotations|transformerAnnotations' },
  SecretArgs: { behavior: '=create|merge|replace' },
  SortOptions: { order: '=fifo|legacy' },
};

/** Kustomization and Component files of kustomize. */
export function kustomizationTable(): SchemaTable {
  const types = goJson<Record<string, Record<string, string>>>(['run', './kustomization']);
  for (const [type, fields] of Object.entries(closed)) types[type] = { ...types[type], ...fields };
  for (const [type, fields] of Object.entries(types)) types[type] = sortKeys(fields);
  return {
    kinds: {
      'kustomize.config.k8s.io/v1alpha1/Component': ['Kustomization', '', false],
      'kustomize.config.k8s.io/v1beta1/Kustomization': ['Kustomization', '', false],
    },
    types,
  };
}

function sortKeys(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
