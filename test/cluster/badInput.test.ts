import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../../src/kube/object.ts';
import { conditionTexts, configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';

// Before the cluster registers its own: hooks run in that order.
const cleanUp: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const work of cleanUp.reverse()) await work();
});
const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'bad-input');
const { namespace } = fleet;
const settings = (name: string): string => inNamespace(namespace, configMap(name, { key: 'value' }));

test('a Kustomization that contains itself never waits for itself, and becomes ready', async () => {
  const self = {
    interval: '10m',
    path: './self',
    prune: true,
    wait: true,
    timeout: '5m',
    sourceRef: { kind: 'GitRepository', name: 'fleet' },
  };
  const revision = await fleet.commit({
    'self/self.yaml': JSON.stringify({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'self', namespace },
      spec: self,
    }),
    'self/settings.yaml': settings('self'),
  });
  const ref = await fleet.kustomization('self', { wait: true, timeout: '5m' });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.ok(
    conditionTexts(await fleet.read(ref)).includes(
      `Ready=True ReconciliationSucceeded: Applied revision: ${revision}`,
    ),
  );
});

test('a dependency cycle is told as the way that closes it, with upstream’s status', async () => {
  await fleet.commit({ 'one/a.yaml': settings('one') });
  const one = await fleet.kustomization('one', { dependsOn: [{ name: 'two' }] });
  await fleet.kustomization('two', { path: './one', dependsOn: [{ name: 'three' }] });
  await fleet.kustomization('three', { path: './one', dependsOn: [{ name: 'one' }] });
  const from = flux.events.length;
  const outcome = await fleet.run(one);
  const circle = ['one', 'two', 'three', 'one'].map((name) => `${namespace}/${name}`).join(' → ');
  assert.equal(outcome.errorKind, 'waiting');
  assert.equal(
    outcome.hint,
    `dependency cycle ${circle}: none of them is ever reconciled; take one spec.dependsOn away`,
  );
  assert.equal(flux.events.slice(from).at(-1)?.message, outcome.hint);
  const [condition] = conditionTexts(await fleet.read(one)).filter((text) => text.startsWith('Ready'));
  assert.equal(condition, `Ready=False DependencyNotReady: dependency '${namespace}/two' is not ready`);
  const outside = await fleet.kustomization('outside', { path: './one', dependsOn: [{ name: 'two' }] });
  assert.equal((await fleet.run(outside)).hint, undefined, 'it waits, and is in no circle itself');
});

test('a webhook that does not answer is named, with who to ask, and nothing is written', async () => {
  const name = `silent-${namespace}`;
  await flux.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'silent.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 1,
        clientConfig: { url: 'https://127.0.0.1:1/never' },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        objectSelector: { matchLabels: { ask: 'webhook' } },
      },
    ],
  } as unknown as KubeObject);
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
  cleanUp.push(() => flux.sandbox.request('DELETE', path));
  const asking = (object: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: object, namespace, labels: { ask: 'webhook' } },
  });
  // The API server learns of a webhook a moment after it answered.
  const apply = { fieldManager: 'test', force: true, dryRun: true };
  while ((await flux.client.apply(asking('probe'), apply)).type === 'ok') await delay(20);
  await fleet.commit({ 'hooked/a.yaml': JSON.stringify(asking('hooked')) });
  const outcome = await fleet.run(await fleet.kustomization('hooked'));
  assert.match(
    outcome.message,
    /ConfigMap\/.*\/hooked dry-run failed \(InternalError\): .*failed calling webhook "silent\.example\.com"/,
  );
  assert.match(outcome.hint ?? '', /^the admission webhook it names does not answer: ask who runs it/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'hooked')), false);
});

test('a kind that nobody defined is named, with what to install', async () => {
  const widget = `apiVersion: nobody.example/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: ${namespace}\n`;
  await fleet.commit({ 'unknown/a.yaml': widget, 'unknown/b.yaml': settings('beside') });
  const outcome = await fleet.run(await fleet.kustomization('unknown'));
  assert.match(
    outcome.message,
    /Widget\/.*\/w dry-run failed: no matches for kind "Widget" in version "nobody\.example\/v1"/,
  );
  assert.match(outcome.hint ?? '', /^install the CustomResourceDefinition of Widget/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'beside')), false);
});

test('a manifest that carries a resourceVersion, as one exported from a cluster does, is created', async () => {
  const exported = inNamespace(
    namespace,
    configMap('exported', { key: 'value' }, '  resourceVersion: "1"\n'),
  );
  await fleet.commit({ 'exported/a.yaml': exported });
  const outcome = await fleet.run(await fleet.kustomization('exported'));
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.ok(await flux.exists(fleet.ref('ConfigMap', 'exported')));
});

test('labels of which one is no text are lost, as upstream loses them', async () => {
  const numbered = inNamespace(
    namespace,
    configMap('numbered', { key: 'value' }, '  labels: {version: 1, team: web}\n'),
  );
  await fleet.commit({ 'numbered/a.yaml': numbered });
  const outcome = await fleet.run(await fleet.kustomization('numbered'));
  assert.equal(outcome.result, 'succeeded', outcome.message);
  const { metadata } = await flux.get(fleet.ref('ConfigMap', 'numbered'));
  assert.deepEqual(metadata.labels, {
    'kustomize.toolkit.fluxcd.io/name': 'numbered',
    'kustomize.toolkit.fluxcd.io/namespace': namespace,
  });
});

test('a health check of what is no API version fails at once instead of waiting', async () => {
  await fleet.commit({ 'versions/a.yaml': settings('versions') });
  const healthChecks = [{ apiVersion: 'a/b/c', kind: 'ConfigMap', name: 'versions', namespace }];
  const outcome = await fleet.run(await fleet.kustomization('versions', { healthChecks }));
  assert.deepEqual(
    [outcome.reason, outcome.message],
    ['HealthCheckFailed', 'unexpected GroupVersion string: a/b/c'],
  );
});
