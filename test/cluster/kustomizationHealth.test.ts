import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { momentMs } from '../../src/controllers/kustomize/kustomizationRun.ts';
import type { RunOutcome } from '../../src/ssa/runOutcome.ts';
import { conditionTexts, configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { impatient } from './impatience.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'health');

function deployment(name: string, selector: string = name): string {
  return inNamespace(
    fleet.namespace,
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${selector}}}
  template:
    metadata: {labels: {app: ${selector}}}
    spec:
      containers: [{name: app, image: "registry.example/app:1"}]
`,
  );
}

/** A claim that no provisioner ever binds. */
const claim = (): string =>
  inNamespace(
    fleet.namespace,
    'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: never\nspec:\n  storageClassName: none\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n',
  );

test('wait ends when everything is Current, with the Healthy condition and its event', async () => {
  const revision = await fleet.commit({ 'good/a.yaml': deployment('good') });
  const ref = await fleet.kustomization('good', { wait: true });
  const from = flux.events.length;
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  const live = await flux.get(fleet.ref('Deployment', 'good', 'apps'));
  assert.equal((live['status'] as { availableReplicas: number }).availableReplicas, 1);
  const texts = conditionTexts(await fleet.read(ref));
  assert.equal(texts[0], `Ready=True ReconciliationSucceeded: Applied revision: ${revision}`);
  assert.match(texts[1] ?? '', /^Healthy=True Succeeded: Health check passed in /);
  assert.equal(texts.length, 2);
  assert.match(
    flux.events
      .slice(from)
      .map(({ message }) => message)
      .join('\n'),
    /Health check passed in /,
  );
  const again = flux.events.length;
  await fleet.run(ref);
  assert.doesNotMatch(
    flux.events
      .slice(again)
      .map(({ message }) => message)
      .join('\n'),
    /Health check/,
  );
});

test('a wait that runs out fails the run, and what was applied stays recorded', async () => {
  await fleet.commit({ 'bad/a.yaml': claim() });
  const ref = await fleet.kustomization('bad', { wait: true, timeout: '30s' });
  const outcome = await fleet.run(ref, impatient(flux.kustomize, 30_000));
  assert.equal(outcome.reason, 'HealthCheckFailed');
  const texts = conditionTexts(await fleet.read(ref));
  assert.match(texts[0] ?? '', /^Reconciling=True ProgressingWithRetry: Running health checks for revision /);
  assert.match(
    texts[1] ?? '',
    new RegExp(
      `^Ready=False HealthCheckFailed: health check failed after .*: timeout waiting for: \\[PersistentVolumeClaim/${fleet.namespace}/never status: 'InProgress'`,
    ),
  );
  assert.match(texts[2] ?? '', /^Healthy=False HealthCheckFailed: timeout waiting for: /);
  const { status } = await fleet.read(ref);
  assert.equal(status?.inventory?.entries.length, 1);
  assert.equal(status?.history?.[0]?.lastReconciledStatus, 'HealthCheckFailed');
  assert.equal(status?.lastAppliedRevision, undefined);
});

test('health checks name what is waited for; without any the Healthy condition goes', async () => {
  await fleet.commit({
    'named/a.yaml': deployment('named'),
    'named/b.yaml': claim().replace('never', 'ignored'),
  });
  const ref = await fleet.kustomization('named', {
    healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'named', namespace: fleet.namespace }],
  });
  assert.equal((await fleet.run(ref)).result, 'succeeded');
  assert.match(conditionTexts(await fleet.read(ref)).join('\n'), /Healthy=True/);
  await fleet.kustomization('named', {});
  await fleet.run(ref);
  assert.doesNotMatch(conditionTexts(await fleet.read(ref)).join('\n'), /Healthy/);
});

test('health check expressions judge their kind, and a broken one stalls', async () => {
  await fleet.commit({ 'cel/a.yaml': claim().replace('never', 'by-cel') });
  const apiVersion = 'v1';
  const kind = 'PersistentVolumeClaim';
  const ref = await fleet.kustomization('cel', {
    wait: true,
    healthCheckExprs: [{ apiVersion, kind, current: "status.phase == 'Pending'" }],
  });
  assert.equal((await fleet.run(ref)).result, 'succeeded');
  await fleet.kustomization('cel', {
    wait: true,
    healthCheckExprs: [
      { apiVersion, kind, current: "status.phase == 'Bound'", failed: "status.phase == 'Pending'" },
    ],
  });
  assert.match(
    (await fleet.run(ref)).message,
    /health check failed after .*: failed early due to stalled resources: \[PersistentVolumeClaim\/.*\/by-cel status: 'Failed'/,
  );
  await fleet.kustomization('cel', {
    wait: true,
    healthCheckExprs: [{ apiVersion, kind, current: 'status.' }],
  });
  const outcome = await fleet.run(ref);
  assert.deepEqual([outcome.reason, outcome.errorKind], ['InvalidCELExpression', 'stalled']);
  assert.match(
    outcome.message,
    /failed to create custom status evaluator for healthchecks\[0\]: failed to parse the expression Current/,
  );
});

test('something newer ends the wait at once, and the run is repeated', async () => {
  await fleet.commit({ 'newer/a.yaml': claim().replace('never', 'newer') });
  const ref = await fleet.kustomization('newer', { wait: true });
  const newer = new AbortController();
  const waiting = flux.sandbox.waitFor(
    `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${fleet.namespace}/kustomizations/newer`,
    (object) => JSON.stringify(object['status']).includes('Running health checks'),
  );
  const run = fleet.run(ref, { superseded: () => newer.signal });
  await waiting;
  newer.abort(`GitRepository/${fleet.namespace}/fleet`);
  const outcome = await run;
  assert.deepEqual(
    [outcome.reason, outcome.errorKind, outcome.next],
    ['HealthCheckCanceled', 'cancelled', { type: 'after', delay: 0 }],
  );
  assert.match(
    outcome.message,
    new RegExp(`New reconciliation triggered by GitRepository/${fleet.namespace}/fleet$`),
  );
});

test('a stopped engine leaves the inventory and no judgement behind', async () => {
  await fleet.commit({ 'stopped/a.yaml': claim().replace('never', 'stopped') });
  const ref = await fleet.kustomization('stopped', { wait: true });
  const stop = new AbortController();
  const waiting = flux.sandbox.waitFor(
    `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${fleet.namespace}/kustomizations/stopped`,
    (object) => JSON.stringify(object['status']).includes('Running health checks'),
  );
  const run = fleet.run(ref, { signal: stop.signal });
  await waiting;
  stop.abort();
  assert.equal((await run).errorKind, 'cancelled');
  const object = await fleet.read(ref);
  assert.match(conditionTexts(object).join('\n'), /Ready=Unknown Progressing/);
  assert.equal(object.status?.inventory?.entries.length, 1);
});

test('progress that ends within a moment is not written', async () => {
  await fleet.commit({ 'moment/a.yaml': inNamespace(fleet.namespace, configMap('moment', { x: '1' })) });
  const { clock } = flux.kustomize;
  const longMs = 3_600_000;
  const endless = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms === momentMs ? longMs : ms, signal),
  };
  assert.deepEqual(await progressOf('moment', endless), ['Detecting drift']);
});

/** What a run that waits for health shows as its progress, in the order the server got it. */
async function progressOf(name: string, clock: typeof flux.kustomize.clock): Promise<readonly string[]> {
  const ref = await fleet.kustomization(name, { path: './moment', wait: true });
  const over = new AbortController();
  const seen: string[] = [];
  let run = undefined as Promise<RunOutcome> | undefined;
  const start = async (): Promise<RunOutcome> => {
    let outcome: RunOutcome | undefined;
    try {
      outcome = await fleet.run(ref, { clock });
      return outcome;
    } finally {
      if (outcome?.result !== 'succeeded') over.abort();
    }
  };
  await flux.client.watch(
    ref,
    { namespace: fleet.namespace, fieldSelector: `metadata.name=${name}` },
    (event) => {
      if (event.type === 'synced') run ??= start();
      if (event.type !== 'changed') return;
      const texts = conditionTexts(event.object as unknown as Kustomization);
      const progress = /^Reconciling=True Progressing: (.*) for revision/.exec(texts[0] ?? '')?.[1];
      if (progress !== undefined) seen.push(progress);
      if (texts.some((text) => text.startsWith('Ready=True'))) over.abort();
    },
    over.signal,
  );
  const outcome = await run;
  assert.equal(outcome?.result, 'succeeded', outcome?.message);
  return [...new Set(seen)];
}
