import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { emitAll, type CustomResourceDefinition } from '../scripts/flux-api/emitTypes.ts';
import { isJsonObject, type JsonValue } from '../src/base/json.ts';
import type { HelmRelease } from '../src/flux/api/helm.gen.ts';
import type { Kustomization } from '../src/flux/api/kustomize.gen.ts';
import { fluxCrds } from '../src/flux/crds.gen.ts';
import { fluxKinds } from '../src/flux/kinds.gen.ts';
import { apiVersionOf, type KubeObject } from '../src/kube/object.ts';

const flux = resolve(import.meta.dirname, '../src/flux');

test('the generated types are those of the committed CRDs', () => {
  const folder = join(flux, 'crds');
  const definitions = readdirSync(folder).map(
    (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CustomResourceDefinition,
  );
  for (const [path, text] of emitAll(definitions)) {
    assert.equal(
      readFileSync(join(flux, path), 'utf8'),
      text,
      `${path} differs: run npm run generate:flux-api`,
    );
  }
});

test('there is a CRD for every Flux kind, which substitution leaves alone', () => {
  assert.equal(fluxKinds.length, 15);
  assert.deepEqual(
    fluxCrds.map((crd) => crd.metadata.name).sort(),
    fluxKinds.map(({ plural, group }) => `${plural}.${group}`).sort(),
  );
  for (const crd of fluxCrds) {
    assert.equal(crd.metadata.annotations?.['kustomize.toolkit.fluxcd.io/substitute'], 'disabled');
  }
});

test('the CRDs carry structure and none of the upstream prose', () => {
  const descriptions: string[] = [];
  const search = (value: JsonValue | undefined, path: string): void => {
    if (!isJsonObject(value) && !Array.isArray(value)) return;
    for (const [key, member] of Object.entries(value)) {
      if (key === 'description' && typeof member === 'string') descriptions.push(path);
      search(member as JsonValue, `${path}/${key}`);
    }
  };
  for (const crd of fluxCrds) search(crd, crd.metadata.name);
  assert.deepEqual(descriptions, []);
});

test('generated types read raw objects and are themselves raw objects', () => {
  const object: KubeObject = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'flux-system' } },
  };
  const kustomization = object as Kustomization;
  assert.equal(kustomization.spec.sourceRef.kind, 'GitRepository');
  const asObjects = (releases: readonly HelmRelease[]): readonly KubeObject[] => releases;
  assert.deepEqual(asObjects([]), []);
  assert.ok(fluxKinds.some((kind) => apiVersionOf(kind) === kustomization.apiVersion));
});

interface FieldSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
}

test('every description is of a field, and every field of a spec has one', () => {
  const fields = new Set<string>();
  const walk = (schema: FieldSchema, path: string): void => {
    fields.add(path);
    const inner = schema.type === 'array' ? (schema.items ?? {}) : schema;
    for (const [name, member] of Object.entries(inner.properties ?? {})) walk(member, `${path}.${name}`);
  };
  for (const file of readdirSync(join(flux, 'crds'))) {
    const { spec } = JSON.parse(readFileSync(join(flux, 'crds', file), 'utf8')) as CustomResourceDefinition;
    for (const version of spec.versions) walk(version.schema.openAPIV3Schema, spec.names.kind);
  }
  const docs = JSON.parse(readFileSync(join(flux, 'fieldDocs.json'), 'utf8')) as Record<string, string>;
  const described = new Set(
    Object.keys(docs).flatMap((key) =>
      key.startsWith('*.')
        ? fluxKinds.map(({ kind }) => kind + key.slice(1)).filter((field) => fields.has(field))
        : [key],
    ),
  );
  const ownerless = Object.keys(docs).filter(
    (key) => key.startsWith('*.') && ![...fields].some((field) => field.endsWith(key.slice(1))),
  );
  assert.deepEqual(ownerless, []);
  assert.deepEqual(
    [...described].filter((key) => !fields.has(key)),
    [],
  );
  assert.deepEqual(
    [...fields].filter((field) => /^\w+\.spec\b/.test(field) && !described.has(field)),
    [],
  );
});
