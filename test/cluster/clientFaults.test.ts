import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ClusterClient, WatchEvent } from '../../src/clients/cluster/clusterClient.ts';
import {
  createClusterClient,
  type ClusterClientOptions,
} from '../../src/clients/cluster/createClusterClient.ts';
import { startFaultProxy, type Fault, type FaultProxy, type ProxiedRequest } from '../servers/faultProxy.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const sandbox = await sandboxCluster();
const namespace = await sandbox.freshNamespace('faults');
const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
const ref = (name: string) => ({ ...kind, namespace, name });
const config = (name: string, data = 'x') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { value: data },
});
const applying = { fieldManager: 'test', force: true, dryRun: false };

interface Faulty {
  readonly client: ClusterClient;
  readonly proxy: FaultProxy;
  /** Requests that reached the proxy. */
  readonly seen: ProxiedRequest[];
  /** The next requests that match get these faults, one each. */
  fail(matches: (request: ProxiedRequest) => boolean, ...faults: Fault[]): void;
}

async function faulty(t: TestContext, options: Partial<ClusterClientOptions> = {}): Promise<Faulty> {
  const seen: ProxiedRequest[] = [];
  let planned: { matches: (request: ProxiedRequest) => boolean; faults: Fault[] }[] = [];
  const proxy = await startFaultProxy(sandbox.kubeconfig, (request) => {
    seen.push(request);
    return planned.find(({ matches, faults }) => faults.length > 0 && matches(request))?.faults.shift();
  });
  const client = await createClusterClient({
    kubeconfig: { text: new Secret(proxy.kubeconfigText), subject: 'test' },
    log: silentLogger,
    ...options,
  });
  t.after(async () => {
    client.close();
    await proxy.close();
  });
  // Discovery is out of the way before anything fails.
  await client.servedKind(kind);
  seen.length = 0;
  return {
    client,
    proxy,
    seen,
    fail: (matches, ...faults) => {
      planned = [...planned, { matches, faults }];
    },
  };
}

const anything = (): boolean => true;

test('a read whose connection breaks, or whose answer is cut off, is tried again', async (t) => {
  const { client, fail, seen } = await faulty(t);
  fail(anything, { type: 'reset' }, { type: 'truncate' });
  const answer = await client.get(ref('kube-root-ca.crt'));
  assert.equal(answer.type, 'ok');
  assert.equal(seen.length, 3);
});

test('a write whose answer is lost is sent again where that does no harm; a create is not', async (t) => {
  const { client, fail, seen, proxy } = await faulty(t);
  fail(({ method }) => method === 'PATCH', { type: 'loseAnswer' });
  assert.equal((await client.apply(config('lost'), applying)).type, 'ok');
  assert.equal(seen.filter(({ method }) => method === 'PATCH').length, 2);
  fail(({ method }) => method === 'POST', { type: 'loseAnswer' });
  await assert.rejects(client.create(config('created'), { fieldManager: 'test' }), (error) => {
    assert.ok(isPlumbError(error, 'ClusterUnreachable'));
    assert.match(error.message, new RegExp(`^${proxy.url} \\(context proxied\\): `));
    assert.ok(error.hint !== undefined);
    return true;
  });
  assert.equal(seen.filter(({ method }) => method === 'POST').length, 1);
  assert.equal((await client.get(ref('created'))).type, 'ok');
});

test('429 and 503 with Retry-After are waited for, reads and writes alike', async (t) => {
  const { client, fail, seen } = await faulty(t);
  const headers = { 'retry-after': '0' };
  fail(anything, { type: 'answer', status: 429, headers }, { type: 'answer', status: 503, headers });
  assert.equal((await client.apply(config('throttled'), applying)).type, 'ok');
  assert.equal(seen.length, 3);
});

test('throttling ends: the last answer is a refusal, not an endless wait', async (t) => {
  const { client, fail, seen } = await faulty(t);
  const throttled: Fault = { type: 'answer', status: 429, headers: { 'retry-after': '0' }, body: '' };
  fail(anything, ...Array.from({ length: 50 }, () => throttled));
  const answer = await client.get(ref('x'));
  assert.equal(answer.type === 'refused' && answer.refusal.reason, 'TooManyRequests');
  assert.ok(seen.length < 20);
});

test('500 is what the server says about the request, a page of a proxy is not shown', async (t) => {
  const { client, fail } = await faulty(t);
  fail(anything, {
    type: 'answer',
    status: 500,
    body: '{"kind":"Status","message":"etcdserver: leader changed"}',
  });
  const answer = await client.get(ref('x'));
  assert.deepEqual(answer.type === 'refused' && answer.refusal, {
    httpStatus: 500,
    reason: 'InternalError',
    message: 'etcdserver: leader changed',
    causes: [],
  });
  fail(anything, { type: 'answer', status: 502, body: '<html>Bad Gateway</html>' });
  const page = await client.get(ref('x'));
  assert.equal(page.type === 'refused' && page.refusal.message, 'the server answered 502');
  fail(anything, { type: 'answer', status: 200, body: '<html>Log in</html>' });
  await assert.rejects(client.get(ref('x')), (error) => isPlumbError(error, 'RequestFailed'));
});

test('a server that does not answer in time is unreachable', async (t) => {
  const { client, fail } = await faulty(t, { requestTimeoutMs: 2000 });
  fail(({ method }) => method === 'PATCH', { type: 'delay', ms: 60_000 });
  await assert.rejects(client.apply(config('slow'), applying), /no answer within/);
});

test('a cancelled request ends at once as cancelled', async (t) => {
  const { client, fail } = await faulty(t);
  fail(anything, { type: 'delay', ms: 60_000 });
  const abort = new AbortController();
  const reading = client.get(ref('x'), abort.signal);
  abort.abort();
  await assert.rejects(reading, (error) => isPlumbError(error, 'Cancelled'));
});

test('closing the client ends what is under way', async (t) => {
  const { client, fail } = await faulty(t);
  fail(anything, { type: 'delay', ms: 60_000 });
  const reading = client.get(ref('x'));
  client.close();
  await assert.rejects(reading, (error) => isPlumbError(error, 'Cancelled'));
});

test('connections are kept and bounded, watches apart', async (t) => {
  const { client, proxy } = await faulty(t, { maxConnections: 4 });
  await Promise.all(Array.from({ length: 100 }, () => client.get(ref('kube-root-ca.crt'))));
  assert.ok(proxy.connections().most <= 4, `${proxy.connections().most} at once`);
  assert.ok(proxy.connections().total <= 4, `${proxy.connections().total} in all`);
  const abort = new AbortController();
  const synced = Promise.withResolvers<void>();
  const watching = client.watch(kind, { namespace }, () => synced.resolve(), abort.signal);
  await synced.promise;
  assert.equal((await client.get(ref('kube-root-ca.crt'))).type, 'ok');
  abort.abort();
  await watching;
});

test('a list is read in pages, and in one piece when its pages expire', async (t) => {
  const { client, fail, seen } = await faulty(t);
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => client.apply(config(`page-${index}`), applying)),
  );
  seen.length = 0;
  const gone: Fault = {
    type: 'answer',
    status: 410,
    body: '{"kind":"Status","reason":"Expired","message":"too old"}',
  };
  fail(({ path }) => path.includes('limit='), gone);
  const answer = await client.list(kind, { namespace });
  assert.ok(answer.type === 'ok' && answer.value.length >= 41);
  assert.deepEqual(
    seen.map(({ path }) => path.includes('limit=')),
    [true, false],
  );
  const object = answer.type === 'ok' ? answer.value[0] : undefined;
  assert.deepEqual([object?.apiVersion, object?.kind], ['v1', 'ConfigMap']);
});

test('metadata-only lists carry no content, and the kind that was asked for', async (t) => {
  const { client } = await faulty(t);
  await client.apply(config('light'), applying);
  const answer = await client.list(kind, {
    namespace,
    metadataOnly: true,
    fieldSelector: 'metadata.name=light',
  });
  const [object] = answer.type === 'ok' ? answer.value : [];
  assert.equal(object?.kind, 'ConfigMap');
  assert.equal(object['data'], undefined);
});

/** Follows the namespace's ConfigMaps; \`until\` resolves when the state it keeps meets a condition. */
function follow(t: TestContext, client: ClusterClient) {
  const abort = new AbortController();
  const state = new Map<string, string>();
  const events: WatchEvent['type'][] = [];
  let waiting: { holds: () => boolean; resolve: () => void }[] = [];
  const take = (event: WatchEvent): void => {
    events.push(event.type);
    if (event.type === 'synced') state.clear();
    const objects =
      event.type === 'synced' ? event.objects : event.type === 'interrupted' ? [] : [event.object];
    for (const object of objects) {
      const value = String((object['data'] as { value?: string } | undefined)?.value);
      if (event.type === 'deleted') state.delete(object.metadata.name);
      else state.set(object.metadata.name, value);
    }
    for (const { holds, resolve } of waiting) if (holds()) resolve();
    waiting = waiting.filter(({ holds }) => !holds());
  };
  const running = client.watch(kind, { namespace }, take, abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
  });
  return {
    events,
    state,
    until: (holds: () => boolean): Promise<void> =>
      holds() ? Promise.resolve() : new Promise((resolve) => waiting.push({ holds, resolve })),
  };
}

test('a watch whose stream breaks goes on from where it was: nothing is missed, nothing is listed again', async (t) => {
  const { client, proxy } = await faulty(t);
  const watch = follow(t, client);
  await watch.until(() => watch.events.includes('synced'));
  for (let round = 0; round < 5; round++) {
    await client.apply(config('watched', `round ${round}`), applying);
    await watch.until(() => watch.state.get('watched') === `round ${round}`);
    proxy.dropStreams();
  }
  await client.delete(ref('watched'));
  await watch.until(() => !watch.state.has('watched'));
  assert.equal(watch.events.filter((type) => type === 'synced').length, 1);
});

test('a watch lists again when its version is too old, whichever way the server says so', async (t) => {
  const { client, proxy, fail } = await faulty(t);
  const isWatch = ({ path }: ProxiedRequest): boolean => path.includes('watch=true');
  const watch = follow(t, client);
  await watch.until(() => watch.events.includes('synced'));
  const expired = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n';
  fail(
    isWatch,
    { type: 'answer', status: 410, body: '{"kind":"Status","code":410}' },
    { type: 'answer', status: 200, body: expired },
  );
  proxy.dropStreams();
  await watch.until(() => watch.events.filter((type) => type === 'synced').length === 3);
  await client.apply(config('after-expiry', 'seen'), applying);
  await watch.until(() => watch.state.get('after-expiry') === 'seen');
});

test('a watch survives a server that is away for a while, and says so', async (t) => {
  const { client, proxy } = await faulty(t);
  const watch = follow(t, client);
  await watch.until(() => watch.events.includes('synced'));
  await proxy.stopListening();
  await watch.until(() => watch.events.includes('interrupted'));
  const change = await sandbox.request(
    'POST',
    `/api/v1/namespaces/${namespace}/configmaps`,
    config('meanwhile', 'made'),
  );
  assert.equal(change.status, 201);
  await proxy.listenAgain();
  await watch.until(() => watch.state.get('meanwhile') === 'made');
});

test('a line cut in half, garbage and an error of the stream lose nothing', async (t) => {
  const { client, proxy, fail } = await faulty(t);
  const isWatch = ({ path }: ProxiedRequest): boolean => path.includes('watch=true');
  const watch = follow(t, client);
  await watch.until(() => watch.events.includes('synced'));
  fail(
    isWatch,
    { type: 'answer', status: 200, body: '{"type":"MODIFIED","object":{"kind":"Conf' },
    { type: 'answer', status: 200, body: 'garbage\n' },
    { type: 'answer', status: 500, body: 'oops' },
  );
  proxy.dropStreams();
  await client.apply(config('after-garbage', 'seen'), applying);
  await watch.until(() => watch.state.get('after-garbage') === 'seen');
});

test('what the callback of a watch throws comes out, it is not swallowed', async (t) => {
  const { client } = await faulty(t);
  const failing = client.watch(
    kind,
    { namespace },
    () => {
      throw new Error('callback broke');
    },
    new AbortController().signal,
  );
  await assert.rejects(failing, /callback broke/);
});

test('discovery works without aggregation, one request a group', async (t) => {
  const { client, fail, seen } = await faulty(t);
  const plain = (path: string): Promise<Fault> =>
    sandbox
      .request('GET', path)
      .then(({ body }) => ({ type: 'answer', status: 200, body: JSON.stringify(body) }));
  fail(({ path }) => path === '/api', await plain('/api'));
  fail(({ path }) => path === '/apis', await plain('/apis'));
  await client.discover({ group: 'apps', version: 'v1' }, { refresh: true });
  const served = await client.servedKind({ group: 'apps', version: 'v1', kind: 'Deployment' });
  assert.equal(served?.plural, 'deployments');
  assert.ok(seen.some(({ path }) => path === '/apis/apps/v1'));
});
