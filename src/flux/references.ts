import { isJsonObject, type JsonObject } from '../base/json.ts';
import { parseApiVersion, type ObjectRef } from '../kube/object.ts';
import { fluxKinds } from './kinds.gen.ts';

/** A Flux object, as JSON or typed. */
interface Referring {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly spec?: unknown;
}

/** Something a workload waits for. */
export interface Dependency {
  readonly ref: ObjectRef;
  readonly readyExpr?: string;
}

/** The source a workload reads, namespace filled in: sourceRef, chartRef or the chart template's sourceRef. */
export function sourceRefOf(object: Referring): ObjectRef | undefined {
  const spec = specOf(object);
  const chart = isJsonObject(spec['chart']) ? specOf(spec['chart']) : {};
  const entry = [spec['sourceRef'], spec['chartRef'], chart['sourceRef']].find(isJsonObject);
  if (entry === undefined) return undefined;
  const kind = textAt(entry, 'kind');
  const name = textAt(entry, 'name');
  if (kind === undefined || name === undefined) return undefined;
  const apiVersion = textAt(entry, 'apiVersion');
  const served =
    apiVersion === undefined ? fluxKinds.find((known) => known.kind === kind) : parseApiVersion(apiVersion);
  if (served === undefined) return undefined;
  const { group, version } = served;
  return { group, version, kind, name, ...namespaceOf(entry, object) };
}

/** What a workload waits for, namespace filled in. Entries without a name are left out. */
export function dependenciesOf(object: Referring): readonly Dependency[] {
  const dependsOn = specOf(object)['dependsOn'];
  if (!Array.isArray(dependsOn)) return [];
  return (dependsOn as readonly unknown[]).filter(isJsonObject).flatMap((entry) => {
    const name = textAt(entry, 'name');
    if (name === undefined) return [];
    const readyExpr = textAt(entry, 'readyExpr');
    return [
      {
        ref: {
          ...parseApiVersion(object.apiVersion),
          kind: object.kind,
          name,
          ...namespaceOf(entry, object),
        },
        ...(readyExpr !== undefined && { readyExpr }),
      },
    ];
  });
}

/** The ConfigMaps and Secrets of its namespace that a Kustomization reads beside its source (contract 1.2, triggers). */
export function configsOf(object: Referring): readonly ObjectRef[] {
  const spec = specOf(object);
  const kubeConfig = specOf({ ...object, spec: spec['kubeConfig'] });
  const decryption = specOf({ ...object, spec: spec['decryption'] });
  const from = specOf({ ...object, spec: spec['postBuild'] })['substituteFrom'];
  const { namespace } = object.metadata;
  const named = (kind: string | undefined, entry: unknown): readonly ObjectRef[] => {
    const name = isJsonObject(entry) ? textAt(entry, 'name') : undefined;
    if (kind === undefined || name === undefined) return [];
    return [{ group: '', version: 'v1', kind, name, ...(namespace !== undefined && { namespace }) }];
  };
  return [
    ...named('Secret', kubeConfig['secretRef']),
    ...named('ConfigMap', kubeConfig['configMapRef']),
    ...named('Secret', decryption['secretRef']),
    ...(Array.isArray(from) ? (from as readonly unknown[]) : [])
      .filter(isJsonObject)
      .flatMap((entry) => named(textAt(entry, 'kind'), entry)),
  ];
}

function specOf({ spec }: { readonly spec?: unknown }): JsonObject {
  return isJsonObject(spec) ? spec : {};
}

function textAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function namespaceOf(entry: JsonObject, { metadata }: Referring): { readonly namespace?: string } {
  const namespace = textAt(entry, 'namespace') ?? metadata.namespace;
  return namespace === undefined ? {} : { namespace };
}
