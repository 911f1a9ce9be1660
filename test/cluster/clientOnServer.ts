import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, test } from 'node:test';
import { loggerTo } from '../../src/base/logger.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ClusterClient, ListOptions, WatchEvent } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { apiRequest } from '../../src/clients/sandbox/apiRequest.ts';
import { sandboxFolder } from '../../src/clients/sandbox/sandboxFolder.ts';
import type { SandboxState } from '../../src/clients/sandbox/supervisorProtocol.ts';
import { startFaultProxy, type Fault, type ProxiedRequest } from '../servers/faultProxy.ts';
import type { SandboxCluster } from './sandboxCluster.ts';

const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' };
const moreThanAPage = 501;

/**
 * The tests of what the cluster client relies on in any API server that it may meet. Nothing is made up here: each answer is
 * the server's own, the proxy in between only counts, holds back or asks for another path.
 */
export async function testClientOn(sandbox: SandboxCluster): Promise<void> {
  const seen: ProxiedRequest[] = [];
  let disturb: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const proxy = await startFaultProxy(sandbox.kubeconfig, (request) => {
    seen.push(request);
    return disturb(request);
  });
  const logged: string[] = [];
  const log = loggerTo(({ message }) => logged.push(message));
  const client = await createClusterClient({
    kubeconfig: { text: new Secret(proxy.kubeconfigText), subject: 'proxied' },
    log,
  });
  const direct = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log });
  const namespace = await sandbox.freshNamespace('served');
  // Discovery is out of the way before requests are counted.
  await client.servedKind(configMaps);
  after(async () => {
    client.close();
    direct.close();
    await proxy.close();
  });

  test('discovery takes two requests, which say all that is served', async () => {
    const kinds = await client.servedKinds();
    assert.deepEqual(seen.map(({ path }) => path).sort(), ['/api', '/apis']);
    for (const kind of ['ConfigMap', 'Deployment', 'CustomResourceDefinition', 'Lease'])
      assert.ok(
        kinds.some((served) => served.kind === kind),
        kind,
      );
    assert.equal(await client.servedKind({ group: 'apps', version: 'v1', kind: 'Unheard' }), undefined);
  });

  test('a list of several pages is whole, also when its pages expire meanwhile', async () => {
    const names = Array.from({ length: moreThanAPage }, (_, index) => `page-${index}`);
    await Promise.all(names.map((name) => created(direct, namespace, name, { list: 'pages' })));
    seen.length = 0;
    const labelSelector = 'list=pages';
    const inPages = await client.list(configMaps, { namespace, labelSelector });
    assert.equal(inPages.type === 'ok' && inPages.value.length, moreThanAPage);
    assert.equal(seen.length, 2);

    // The second page waits until the state that the first one showed is gone from the server.
    disturb = ({ path }) =>
      path.includes('continue=') ? { type: 'hold', until: compact(sandbox, client, namespace) } : undefined;
    const expired = await client.list(configMaps, { namespace, labelSelector });
    disturb = () => undefined;
    assert.equal(expired.type, 'ok', JSON.stringify(expired));
    const found = expired.type === 'ok' ? expired.value.map(({ metadata }) => metadata.name) : [];
    assert.deepEqual([...new Set(found)].sort(), [...names].sort());
  });

  test('a field has an owner; a dry-run changes nothing; a precondition holds', async () => {
    const object = (value: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owned', namespace },
      data: { value },
    });
    const ref = { ...configMaps, namespace, name: 'owned' };
    const first = await client.apply(object('mine'), { fieldManager: 'one', force: false, dryRun: false });
    assert.equal(first.type, 'ok');
    const refused = await client.apply(object('theirs'), {
      fieldManager: 'two',
      force: false,
      dryRun: false,
    });
    assert.equal(refused.type === 'refused' && refused.refusal.reason, 'Conflict');
    assert.deepEqual(refused.type === 'refused' && refused.refusal.causes.map(({ field }) => field), [
      '.data.value',
    ]);
    const tried = await client.apply(object('theirs'), { fieldManager: 'two', force: true, dryRun: true });
    assert.deepEqual(tried.type === 'ok' && tried.value['data'], { value: 'theirs' });
    const live = await client.get(ref);
    assert.deepEqual(live.type === 'ok' && live.value['data'], { value: 'mine' });
    const kept = await client.delete(ref, { preconditions: { resourceVersion: '1' } });
    assert.equal(kept.type === 'refused' && kept.refusal.reason, 'Conflict');
    assert.equal((await client.delete(ref)).type, 'ok');
  });

  test('a watch goes on from a bookmark: what it has seen is not sent again', async () => {
    const watching = (path: string): boolean => path.includes('watch=true');
    // The server sends its bookmark two seconds before it ends a stream.
    disturb = ({ path }) =>
      watching(path)
        ? { type: 'redirect', path: path.replace(/timeoutSeconds=\d+/, 'timeoutSeconds=4') }
        : undefined;
    seen.length = 0;
    const watch = follow(client, configMaps, { namespace, labelSelector: 'watch=bookmarks' });
    await watch.until((events) => events.includes('synced 0'));
    // Nothing of this the watch is told about, but its version moves on.
    await created(client, namespace, 'unrelated', {});
    const versions = (): string[] =>
      seen.flatMap(({ path }) => (watching(path) ? [/resourceVersion=(\d+)/.exec(path)?.[1] ?? ''] : []));
    await created(client, namespace, 'other', {});
    // On a busy machine the first bookmark may be older than what was created.
    const isLater = (): boolean => versions().some((version) => Number(version) > Number(versions()[0]));
    while (!isLater() && versions().length < 10) await new Promise((resolve) => setTimeout(resolve, 50));
    disturb = () => undefined;
    assert.ok(isLater(), versions().join(' then '));
    await created(client, namespace, 'wanted', { watch: 'bookmarks' });
    await watch.until((events) => events.includes('changed wanted'));
    await watch.end();
    assert.deepEqual(watch.events, ['synced 0', 'changed wanted']);
  });

  test('a watch whose version the server no longer has lists again', async () => {
    const kind = await definedKind(sandbox, namespace);
    const apiVersion = `${kind.group}/${kind.version}`;
    const object = { apiVersion, kind: kind.kind, metadata: { name: 'one', namespace } };
    assert.equal((await client.create(object, { fieldManager: 'test' })).type, 'ok');
    let asked = 0;
    // The first version of the store: older than the kind, and with it than what the server keeps of its history.
    disturb = ({ path }) =>
      path.includes('watch=true') && asked++ === 0
        ? { type: 'redirect', path: path.replace(/resourceVersion=\d+/, 'resourceVersion=1') }
        : undefined;
    const watch = follow(client, kind, { namespace });
    await watch.until((events) => events.filter((event) => event === 'synced 1').length === 2);
    disturb = () => undefined;
    await client.delete({ ...kind, namespace, name: 'one' });
    await watch.until((events) => events.includes('deleted one'));
    await watch.end();
    assert.deepEqual(watch.events, ['synced 1', 'synced 1', 'deleted one']);
  });

  test('a server that asks for patience gets it, and the log says so', async () => {
    const userName = `impatient-${namespace}`;
    // Not `view`, whose rights a controller gathers: there may be none.
    const path = await sandbox.userKubeconfig({ userName, namespace, clusterRole: 'cluster-admin' });
    await allowOneAtATime(sandbox, userName);
    const impatient = await createClusterClient({ kubeconfig: { paths: [path] }, log });
    after(() => impatient.close());
    logged.length = 0;
    for (let burst = 0; !logged.includes('throttled by the server'); burst++) {
      assert.ok(burst < 100, 'no request was throttled');
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => impatient.list(configMaps, { namespace })),
      );
      for (const answer of answers)
        assert.ok(answer.type === 'ok' && answer.value.length >= moreThanAPage, JSON.stringify(answer));
    }
  });
}

/** Of several requests of that user the server answers one, and 429 with Retry-After to the others. */
async function allowOneAtATime(sandbox: SandboxCluster, userName: string): Promise<void> {
  const flowControl = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const create = async (plural: string, spec: object): Promise<void> => {
    const object = { metadata: { name: userName }, spec };
    const { status, body } = await sandbox.request('POST', `${flowControl}/${plural}`, object);
    assert.equal(status, 201, JSON.stringify(body));
    after(() => sandbox.request('DELETE', `${flowControl}/${plural}/${userName}`));
  };
  // A level without seats still serves a request when it has no other.
  await create('prioritylevelconfigurations', {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 0,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Reject' },
    },
  });
  const everything = {
    verbs: ['*'],
    apiGroups: ['*'],
    resources: ['*'],
    namespaces: ['*'],
    clusterScope: true,
  };
  await create('flowschemas', {
    priorityLevelConfiguration: { name: userName },
    matchingPrecedence: 2,
    rules: [{ subjects: [{ kind: 'User', user: { name: userName } }], resourceRules: [everything] }],
  });
}

async function created(
  client: ClusterClient,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } };
  const answer = await client.create(object, { fieldManager: 'test' });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

/** Moves the store on and forgets all older states of it, as the API server does every five minutes. */
async function compact(sandbox: SandboxCluster, client: ClusterClient, namespace: string): Promise<void> {
  await created(client, namespace, 'compacted', {});
  const folder = sandboxFolder(dirname(sandbox.kubeconfig));
  const { ports } = JSON.parse(await readFile(folder.state, 'utf8')) as SandboxState;
  const [authority = '', certificate = '', key = ''] = await Promise.all(
    [folder.etcdAuthorityCertificate, folder.etcdCertificate, folder.etcdKey].map((file) =>
      readFile(file, 'utf8'),
    ),
  );
  const access = { server: `https://127.0.0.1:${ports.etcd}`, authority, certificate, key };
  const { body } = await sandbox.request('GET', `/api/v1/namespaces/${namespace}/configmaps/compacted`);
  const { resourceVersion } = body['metadata'] as { readonly resourceVersion: string };
  const answer = await apiRequest(access, 'POST', '/v3/kv/compaction', { revision: resourceVersion });
  assert.equal(answer.status, 200, answer.body);
}

type Kind = typeof configMaps;

/** A kind of the namespace's own, served and empty. */
async function definedKind(sandbox: SandboxCluster, namespace: string): Promise<Kind> {
  const group = `${namespace}.example.com`;
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const answer = await sandbox.request('POST', path, {
    metadata: { name: `marks.${group}` },
    spec: {
      group,
      names: { kind: 'Mark', plural: 'marks' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  after(() => sandbox.request('DELETE', `${path}/marks.${group}`));
  await sandbox.waitFor(`/apis/${group}/v1/namespaces/${namespace}/marks`, () => true);
  return { group, version: 'v1', kind: 'Mark' };
}

/** Follows the objects of a kind; events are told as words, in their order. */
function follow(client: ClusterClient, kind: Kind, options: ListOptions) {
  const ended = new AbortController();
  const events: string[] = [];
  let wake = (): void => undefined;
  const take = (event: WatchEvent): void => {
    if (event.type === 'synced') events.push(`synced ${event.objects.length}`);
    else if (event.type === 'interrupted') events.push(`interrupted: ${event.message}`);
    else events.push(`${event.type} ${event.object.metadata.name}`);
    wake();
  };
  const running = client.watch(kind, options, take, ended.signal);
  return {
    events,
    async until(holds: (events: readonly string[]) => boolean): Promise<void> {
      while (!holds(events)) await new Promise<void>((resolve) => (wake = resolve));
    },
    async end(): Promise<void> {
      ended.abort();
      await running;
    },
  };
}
