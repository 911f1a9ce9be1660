import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreEvent, notificationEvent, type FluxEvent } from './events.ts';

const event: FluxEvent = {
  object: {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name: 'apps',
      namespace: 'flux-system',
      uid: 'u',
      resourceVersion: '7',
      annotations: { 'event.toolkit.fluxcd.io/team': 'web', other: 'x' },
    },
  },
  severity: 'error',
  reason: 'BuildFailed',
  message: 'kustomize build failed',
  metadata: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:a' },
  component: 'kustomize-controller',
};

test('a failure is a Warning in the object’s namespace, named after it and the time', () => {
  const object = coreEvent(event, 0, 255n);
  assert.equal(object.metadata.name, 'apps.ff');
  assert.equal(object.metadata.namespace, 'flux-system');
  assert.equal(object['type'], 'Warning');
  assert.equal(object['count'], 1);
  assert.deepEqual(object.metadata.annotations, {
    'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:a',
    'event.toolkit.fluxcd.io/team': 'web',
  });
});

test('notification gets the severity, the metadata and who reported', () => {
  const json = notificationEvent(event, 0, 'laptop');
  assert.equal(json['severity'], 'error');
  assert.equal(json['timestamp'], '1970-01-01T00:00:00Z');
  assert.equal(json['reportingInstance'], 'laptop');
  assert.deepEqual(json['metadata'], {
    'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:a',
    'event.toolkit.fluxcd.io/team': 'web',
  });
});

test('trace and info are Normal', () => {
  for (const severity of ['trace', 'info'] as const)
    assert.equal(coreEvent({ ...event, severity }, 0, 1n)['type'], 'Normal');
});
