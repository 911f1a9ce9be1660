import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../base/json.ts';
import { parsePlainYaml } from '../kube/plainYaml.ts';
import type { KubeObject } from '../kube/object.ts';
import { normalizeObject } from './normalize.ts';

function objectOf(yaml: string): KubeObject {
  const parsed = parsePlainYaml(yaml);
  assert.ok('value' in parsed);
  return parsed.value as KubeObject;
}

function check(input: string, expected: JsonObject, dropped: readonly string[] = []): void {
  const result = normalizeObject(objectOf(input));
  assert.deepEqual(result.object, expected);
  assert.deepEqual(result.dropped, dropped);
}

test('a Deployment passes through its Go type: unknown and empty fields go, always-written ones appear', () => {
  check(
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, annotations: {}, note: lost }
spec:
  replicas: 0
  replicaCount: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      hostNetwork: false
      initContainers: [{ name: init, ports: [{ containerPort: 1 }] }]
      containers:
        - { name: web, image: nginx, args: [], portz: 1, ports: [{ containerPort: 80 }], securityContext: {} }
      volumes: [{ name: tmp, emptyDir: {} }]
status: { replicas: 1 }`,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', creationTimestamp: null },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        strategy: {},
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            initContainers: [{ name: 'init', ports: [{ containerPort: 1 }], resources: {} }],
            containers: [
              {
                name: 'web',
                image: 'nginx',
                ports: [{ containerPort: 80, protocol: 'TCP' }],
                resources: {},
                securityContext: {},
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: {} }],
          },
        },
      },
    },
    ['/metadata/note', '/spec/replicaCount', '/spec/template/spec/containers/0/portz'],
  );
});

test('stringData of a Secret is merged into data', () => {
  check(
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==, b: "Yg\\n=="}, stringData: {a: x}}',
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', creationTimestamp: null },
      data: { a: 'eA==', b: 'Yg==' },
    },
  );
});

test('ports of a Service get the protocol that the server needs to tell them apart', () => {
  check('{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', creationTimestamp: null },
    spec: { ports: [{ port: 80, targetPort: 0, protocol: 'TCP' }] },
  });
});

test('a value of the wrong type leaves the object for the server to refuse', () => {
  check('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: 1}, extra: true}', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', creationTimestamp: null },
    data: { a: 1 },
    extra: true,
  });
});

test('a null value of a map becomes the empty value of its type', () => {
  check('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: null}}', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', creationTimestamp: null },
    data: { a: '' },
  });
});

test('a custom resource keeps every field but status', () => {
  check(
    '{apiVersion: x.io/v1, kind: Foo, metadata: {name: f, note: kept}, spec: {a: []}, status: {ok: true}}',
    {
      apiVersion: 'x.io/v1',
      kind: 'Foo',
      metadata: { name: 'f', note: 'kept', creationTimestamp: null },
      spec: { a: [] },
    },
  );
});

test('Roles are sent as they are', () => {
  const role = objectOf(
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [], status: {}}',
  );
  assert.equal(normalizeObject(role).object, role);
});
