import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { plumbError } from '../../src/base/plumbError.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';
import { elsewhere, guardedClient, type WritePermit } from '../../src/engine/guardedClient.ts';
import { defaultProfile } from '../../src/flux/controllerProfile.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'rights');
const { namespace } = fleet;

function manifest(name: string): string {
  return inNamespace(namespace, configMap(name, { key: '1' }));
}

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1}]}
`;

async function role(name: string, rules: readonly object[], subject: object): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  await flux.apply({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules } as never);
  await flux.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: rbac, kind: 'Role', name },
    subjects: [subject],
  } as never);
}

async function serviceAccount(name: string): Promise<void> {
  await flux.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  const rules = [{ apiGroups: ['', 'rbac.authorization.k8s.io'], resources: ['*'], verbs: ['*'] }];
  await role(name, rules, { kind: 'ServiceAccount', name, namespace });
  await untilWriting(`system:serviceaccount:${namespace}:${name}`);
}

async function untilWriting(userName: string): Promise<void> {
  await flux.sandbox.untilAllowed(userName, { verb: 'patch', resource: 'configmaps', namespace });
}

test('a tenant whose Git makes it cluster-admin is refused, and nothing of the run is written', async () => {
  await serviceAccount('tenant');
  const grab = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ${namespace}-grab
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: tenant, namespace: ${namespace}}]
`;
  await fleet.commit({ 'grab/a.yaml': manifest('grab'), 'grab/b.yaml': grab });
  const ref = await fleet.kustomization('grab', { serviceAccountName: 'tenant' });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.reason, 'ReconciliationFailed');
  assert.match(outcome.message, /forbidden/i);
  assert.match(outcome.message, new RegExp(`system:serviceaccount:${namespace}:tenant`));
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'grab')), false);
});

test('the controllers’ default service account is used where a Kustomization names none', async () => {
  await fleet.commit({ 'default/a.yaml': manifest('default') });
  const ref = await fleet.kustomization('default');
  const profile = { ...defaultProfile, defaultServiceAccount: 'powerless' };
  const refused = await fleet.run(ref, { profile });
  assert.match(refused.message, new RegExp(`system:serviceaccount:${namespace}:powerless`));
  await serviceAccount('powerless');
  assert.equal((await fleet.run(ref, { profile })).result, 'succeeded');
});

test('runs that name no service account act as the controller where one was chosen', async () => {
  await fleet.commit({ 'chosen/a.yaml': manifest('chosen') });
  const ref = await fleet.kustomization('chosen');
  const controllerUser = { userName: `system:serviceaccount:${namespace}:controller`, groups: [] };
  assert.match((await fleet.run(ref, { controllerUser })).message, /controller/);
  await serviceAccount('controller');
  assert.equal((await fleet.run(ref, { controllerUser })).result, 'succeeded');
});

test('where acting as the service account is refused the run fails; the own rights never stand in', async () => {
  const userName = `developer-${namespace}`;
  // Not the role `edit`: that one may act as the service accounts of its namespace.
  const kubeconfig = await flux.sandbox.userKubeconfig({ userName, namespace });
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] },
    {
      apiGroups: ['kustomize.toolkit.fluxcd.io', 'source.toolkit.fluxcd.io'],
      resources: ['*'],
      verbs: ['*'],
    },
  ];
  await role('developer', rules, { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userName });
  await untilWriting(userName);
  const cluster = await createClusterClient({ kubeconfig: { paths: [kubeconfig] }, log: silentLogger });
  after(() => cluster.close());
  await fleet.commit({ 'refused/a.yaml': manifest('refused') });
  const ref = await fleet.kustomization('refused', { serviceAccountName: 'tenant' });
  const outcome = await fleet.run(ref, { cluster });
  assert.deepEqual([outcome.reason, outcome.errorKind], ['ReconciliationFailed', 'stalled']);
  assert.match(outcome.message, /^acting as system:serviceaccount:.*:tenant was refused: /);
  assert.match(outcome.hint ?? '', /never writes with your own rights/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'refused')), false);
  const own = await fleet.kustomization('refused', {});
  assert.equal((await fleet.run(own, { cluster })).result, 'succeeded');
});

test('the kubeconfig of a Secret is another cluster with its own rights, and the Secret may name its key', async () => {
  const userName = `remote-${namespace}`;
  const kubeconfig = await flux.sandbox.userKubeconfig({ userName, namespace, clusterRole: 'edit' });
  const text = await readFile(kubeconfig, 'utf8');
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'remote', namespace },
    stringData: { value: text, other: text },
  });
  const outside = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${namespace}\n  namespace: default\n`;
  await fleet.commit({ 'remote/a.yaml': manifest('remote') });
  for (const secretRef of [{ name: 'remote' }, { name: 'remote', key: 'other' }]) {
    const ref = await fleet.kustomization('remote', { kubeConfig: { secretRef } });
    const outcome = await fleet.run(ref);
    assert.equal(outcome.result, 'succeeded', outcome.message);
  }
  await fleet.commit({ 'remote/b.yaml': outside });
  const ref = await fleet.kustomization('remote', { kubeConfig: { secretRef: { name: 'remote' } } });
  assert.match((await fleet.run(ref)).message, new RegExp(`User "${userName}" cannot `));
  const nowhere = await fleet.kustomization('remote', { kubeConfig: { secretRef: { name: 'nowhere' } } });
  const outcome = await fleet.run(nowhere);
  assert.equal(outcome.reason, 'ReconciliationFailed');
  assert.match(outcome.message, new RegExp(`Secret/${namespace}/nowhere: the kubeconfig cannot be read`));
});

test('on another cluster, too, nothing is written once the right to write is lost', async () => {
  const kubeconfig = await flux.sandbox.userKubeconfig({
    userName: `guarded-${namespace}`,
    namespace,
    clusterRole: 'edit',
  });
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'guarded', namespace },
    stringData: { value: await readFile(kubeconfig, 'utf8') },
  });
  await fleet.commit({ 'guarded/a.yaml': manifest('guarded') });
  const ref = await fleet.kustomization('guarded', { kubeConfig: { secretRef: { name: 'guarded' } } });
  let isHeld = false;
  const permit: WritePermit = {
    require: () => {
      if (!isHeld) throw plumbError('PlanOutdated', { message: 'the Leases were lost' });
    },
    own: () => assert.fail('objects of another cluster are not those the permit keeps account of'),
  };
  const guarded = (cluster: ClusterClient): ClusterClient => guardedClient(cluster, elsewhere(permit));
  assert.match((await fleet.run(ref, { guarded })).message, /the Leases were lost/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'guarded')), false);
  isHeld = true;
  assert.equal((await fleet.run(ref, { guarded })).result, 'succeeded');
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'guarded')), true);
});

test('a ConfigMap describes another cluster, opened with a token of the service account it names', async () => {
  const { cluster } = await loadConnection({ paths: [flux.sandbox.kubeconfig] });
  await serviceAccount('traveller');
  const described = {
    provider: 'generic',
    address: flux.sandbox.server,
    'ca.crt': Buffer.from(cluster.caData ?? '', 'base64').toString(),
    audiences: 'https://kubernetes.default.svc\n',
    serviceAccountName: 'traveller',
  };
  const describe = (data: object): Promise<unknown> =>
    flux.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'elsewhere', namespace },
      data,
    } as never);
  const featureGates = { ...defaultProfile.featureGates, ObjectLevelWorkloadIdentity: true };
  const profile = { ...defaultProfile, featureGates };
  await fleet.commit({ 'elsewhere/a.yaml': manifest('travelled') });
  const ref = await fleet.kustomization('elsewhere', { kubeConfig: { configMapRef: { name: 'elsewhere' } } });
  const message = async (data: object): Promise<string> => {
    await describe(data);
    return (await fleet.run(ref, { profile })).message;
  };

  assert.match((await fleet.run(ref, { profile })).message, /elsewhere: the description .* cannot be read/);
  await describe(described);
  assert.match(
    (await fleet.run(ref)).message,
    /traveller needs the feature gate ObjectLevelWorkloadIdentity/,
  );
  assert.match(await message({ ...described, provider: 'aws' }), /provider aws needs a cloud identity/);
  assert.match(await message({ ...described, provider: 'acme' }), /acme is no provider/);
  assert.match(await message({ ...described, address: 'http://127.0.0.1' }), /is no https address/);
  assert.match(
    await message({ ...described, serviceAccountName: 'nobody' }),
    /no token of .*nobody can be had/,
  );
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'travelled')), false);

  await describe(described);
  const outcome = await fleet.run(ref, { profile });
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'travelled')), true);
  await fleet.commit({ 'elsewhere/b.yaml': web });
  assert.match(
    (await fleet.run(ref, { profile })).message,
    new RegExp(`User "system:serviceaccount:${namespace}:traveller" cannot `),
  );
});

test('a ConfigMap that names no service account stands for the controller’s own', async () => {
  const asked: unknown[] = [];
  const address = 'cluster.example.org';
  await flux.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'own', namespace },
    data: { provider: 'generic', address },
  });
  const cluster: ClusterClient = {
    ...flux.client,
    serviceAccountToken: (account, audiences, signal) => {
      asked.push({ account, audiences });
      return flux.client.serviceAccountToken(account, audiences, signal);
    },
  };
  const ref = await fleet.kustomization('elsewhere', { kubeConfig: { configMapRef: { name: 'own' } } });
  const profile = { ...defaultProfile, runtimeNamespace: namespace, serviceAccount: 'fleet-controller' };
  assert.match((await fleet.run(ref, { cluster, profile })).message, /fleet-controller can be had/);
  const account = { namespace, name: 'fleet-controller' };
  assert.deepEqual(asked, [{ account, audiences: [address] }]);
});
