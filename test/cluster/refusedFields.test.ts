import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { placeOf, planText } from '../../src/cli/printers/planText.ts';
import { styleFor } from '../../src/cli/terminal.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { ChangeView, PlanView } from '../../src/protocol/views.ts';
import { runGit } from '../servers/gitRepository.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { withOnlyLocalMode } from './oneLocalMode.ts';

// Before the cluster registers its own: hooks run in that order.
const cleanUp: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const work of cleanUp.reverse()) await work();
});
const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'refused');
const { namespace } = fleet;
const folder = await mkdtemp(join(tmpdir(), 'plumb-refused-'));
const clone = join(folder, 'fleet');
cleanUp.push(() => rm(folder, { recursive: true, force: true }));
const plain = styleFor(false);
await flux.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });

const admission = (kind: string, name: string): ObjectRef => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind,
  name,
});
const policy = `settings-${namespace}`;
await flux.apply({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: policy },
  spec: {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
      ],
    },
    validations: [
      { expression: '!has(object.data) || !("debug" in object.data)', message: 'debug is for nobody' },
    ],
  },
} as KubeObject);
await flux.apply({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: policy },
  spec: {
    policyName: policy,
    validationActions: ['Deny'],
    matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  },
} as KubeObject);
for (const kind of ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])
  cleanUp.push(() => flux.client.delete(admission(kind, policy)));

const service = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - name: http
    port: 80
  - name: admin
    port: 99999
`;
const widgets = `widgets.${namespace}.example`;
const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${widgets}`;
await flux.apply({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: widgets },
  spec: {
    group: `${namespace}.example`,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
} as KubeObject);
cleanUp.push(() => flux.sandbox.request('DELETE', definition));
await flux.sandbox.waitFor(definition, (object) =>
  JSON.stringify(object['status'] ?? {}).includes('"type":"Established"'),
);
const widget = `apiVersion: ${namespace}.example/v1
kind: Widget
metadata:
  name: one
spec:
  size: large
`;

await fleet.commit({
  'fields/service.yaml': inNamespace(namespace, service),
  'schema/widget.yaml': inNamespace(namespace, widget),
  'policy/settings.yaml': inNamespace(namespace, configMap('settings', { color: 'blue', debug: 'on' })),
  'taken/shared.yaml': inNamespace(namespace, configMap('shared', { color: 'blue', size: '1' })),
});
await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);
const engine = await createEngine(
  { folders: [clone], kubeconfig: [flux.sandbox.kubeconfig], schedule: 'onRequest' },
  { log: silentLogger },
);
cleanUp.push(() => engine.dispose());

/** The only change of the plan, and the plan. */
async function planned(name: string): Promise<readonly [ChangeView, PlanView]> {
  const plan = await engine.plan(await fleet.kustomization(name), 'workingTree');
  assert.equal(plan.changes.length, 1);
  return [plan.changes[0] as ChangeView, plan];
}

/** The place that the apply of the plan, and a run of the Kustomization, fail at. */
async function failures(name: string, plan: PlanView): Promise<readonly string[]> {
  const errors: string[] = [];
  await withOnlyLocalMode(flux.sandbox.server, async () => {
    await assert.rejects(engine.apply(plan.id), (error) => {
      assert.ok(isPlumbError(error, 'ReconciliationFailed'), String(error));
      const { origin } = error.details;
      errors.push(`${origin?.path}:${(origin?.range.start.line ?? -1) + 1} ${error.message}`);
      return true;
    });
  });
  const outcome = await fleet.run(plan.ref);
  assert.equal(outcome.result, 'failed', name);
  return [...errors, outcome.message];
}

const placesOf = ({ complaints = [] }: ChangeView): readonly string[] =>
  complaints.map(({ field, location }) => `${field} ${location === undefined ? '' : placeOf(location)}`);

test('a field that validation refuses is named with the line that sets it, in plan, apply and run', async () => {
  const [change, plan] = await planned('fields');
  assert.deepEqual(placesOf(change), [
    'spec.ports[1].port fields/service.yaml:11',
    // The server's own default: the line of the port it belongs to.
    'spec.ports[1].targetPort fields/service.yaml:10',
  ]);
  assert.match(
    planText(plan, plain, Date.now()),
    /^ {4}spec\.ports\[1\]\.port {2}fields\/service\.yaml:11$/m,
  );
  const [applied = '', run = ''] = await failures('fields', plan);
  assert.match(applied, /^fields\/service\.yaml:11 Service\/.*\/web dry-run failed \(Invalid\): .*99999/);
  assert.match(run, /^Service\/.*\/web dry-run failed \(Invalid\): /);
  assert.equal(await flux.exists(fleet.ref('Service', 'web')), false);
});

test('a field that does not fit the schema is named with the line that sets it', async () => {
  const [change, plan] = await planned('schema');
  assert.deepEqual(placesOf(change), ['spec.size schema/widget.yaml:7']);
  const [applied = ''] = await failures('schema', plan);
  assert.match(applied, /^schema\/widget\.yaml:7 Widget\/.*\/one dry-run failed .*size/);
});

test('what a ValidatingAdmissionPolicy refuses is told in its words at the object', async () => {
  // The API server compiles a policy a moment after it answered.
  let [change, plan] = await planned('policy');
  while (change.message === undefined) [change, plan] = await planned('policy');
  assert.match(change.message, /denied request: debug is for nobody/);
  assert.equal(change.location === undefined ? '' : placeOf(change.location), 'policy/settings.yaml:1');
  const [applied = '', run = ''] = await failures('policy', plan);
  assert.match(
    applied,
    /^policy\/settings\.yaml:1 ConfigMap\/.*\/settings dry-run failed .*debug is for nobody/,
  );
  assert.match(run, /debug is for nobody/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'settings')), false);
});

test('a field that will be taken from another manager is named with it, before and only then taken', async () => {
  const theirs: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shared', namespace },
    data: { color: 'red', size: '1' },
  };
  const applied = await flux.client.apply(theirs, { fieldManager: 'team-tool', force: true, dryRun: false });
  assert.equal(applied.type, 'ok');
  const [change, plan] = await planned('taken');
  const color = change.fields.find(({ pointer }) => pointer === '/data/color');
  assert.deepEqual(
    [color?.live, color?.desired, color?.owners.map(({ manager, operation }) => `${manager} ${operation}`)],
    ['red', 'blue', ['team-tool Apply']],
  );
  assert.match(planText(plan, plain, Date.now()), /\/data\/color {2}"?red"? → "?blue"? .*team-tool/);
  const managersOfColor = async (): Promise<readonly string[]> => {
    const { managedFields } = (await flux.get(fleet.ref('ConfigMap', 'shared'))).metadata;
    return (managedFields as { manager: string; fieldsV1: object }[])
      .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('f:color'))
      .map(({ manager }) => manager);
  };
  assert.deepEqual(await managersOfColor(), ['team-tool']);
  const run = await withOnlyLocalMode(flux.sandbox.server, () => engine.apply(plan.id));
  assert.equal(run.ready, true, run.message);
  assert.deepEqual(await managersOfColor(), ['kustomize-controller']);
});
