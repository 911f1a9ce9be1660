import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definedKinds } from './definedKinds.ts';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v1beta1', served: true },
      { name: 'v1alpha1', served: false },
    ],
  },
};

test('a definition names each version of its kind that is served', () => {
  assert.deepEqual(definedKinds(definition), ['example.com/v1/Widget', 'example.com/v1beta1/Widget']);
});

test('what is no definition, or half of one, names nothing', () => {
  for (const object of [
    { ...definition, kind: 'ConfigMap' },
    { ...definition, apiVersion: 'example.com/v1' },
    { ...definition, spec: 'text' },
    { ...definition, spec: { ...definition.spec, names: null } },
    { ...definition, spec: { ...definition.spec, versions: [{ served: true }, 'v1', null] } },
  ])
    assert.deepEqual(definedKinds(object as never), []);
});
