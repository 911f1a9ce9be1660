import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { clusterWithGit } from './clusterWithGit.ts';
import { runPlumb, startPlumb } from './plumbProcess.ts';

const { cluster, git, place } = await clusterWithGit();

const sources = '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories';
const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations';
const web = '/apis/apps/v1/namespaces/shop/deployments/web';

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\ndata: { a: "1" }\n`;
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: example/web:1 }] }
`;

async function create(path: string, body: JsonObject): Promise<void> {
  const answer = await cluster.request('POST', path, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
}

async function kustomization(name: string, spec: JsonObject): Promise<void> {
  await create(kustomizations, {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: { path: `./${name}`, prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' }, ...spec },
  });
}

async function managerOfReplicas(): Promise<string | undefined> {
  const { body } = await cluster.request('GET', web);
  const entries = (body['metadata'] as JsonObject)['managedFields'] as readonly JsonObject[];
  const owner = entries.find((entry) => {
    const fields = isJsonObject(entry['fieldsV1']) ? entry['fieldsV1']['f:spec'] : undefined;
    return isJsonObject(fields) && fields['f:replicas'] !== undefined;
  });
  return owner?.['manager'] as string | undefined;
}

async function untilReverted(): Promise<void> {
  while ((await managerOfReplicas()) !== 'kustomize-controller') await delay(50);
}

/** As `kubectl scale` does, which reads first. */
async function scaleTo(replicas: number): Promise<void> {
  for (;;) {
    const { body } = await cluster.request('GET', `${web}/scale`);
    const scale = { ...body, spec: { replicas } };
    const answer = await cluster.request('PUT', `${web}/scale?fieldManager=kubectl`, scale);
    if (answer.status === 200) return;
    // The Deployment's own controller wrote meanwhile.
    assert.equal(answer.status, 409, JSON.stringify(answer.body));
  }
}

test('plumb watch --local reconciles dependents after what they need, reverts a scale, follows commits and prunes', async () => {
  const { folder: bare, url } = await git.createRepository('fleet');
  await commitFiles(bare, {
    files: {
      'infra/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
      'apps/web.yaml': deployment,
      'extras/a.yaml': configMap('a'),
      'extras/b.yaml': configMap('b'),
    },
  });
  assert.equal(runPlumb(['install', '--yes'], place).code, 0);
  await create(sources, {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    spec: { interval: '3s', url, ref: { branch: 'main' } },
  });
  await kustomization('apps', { interval: '10s', wait: true, dependsOn: [{ name: 'infra' }] });
  await kustomization('extras', { interval: '1h', dependsOn: [{ name: 'infra' }, { name: 'apps' }] });
  await kustomization('infra', { interval: '1h' });

  const watching = startPlumb(['watch', '--local'], place);
  await watching.saw(/^Kustomization\/flux-system\/extras {2}ready .*Applied revision: main@sha1:/m);
  let isSeen = false;
  const seen = watching
    .saw(/^Kustomization\/flux-system\/apps {2}drifted \(1\)/m)
    .then(() => (isSeen = true));
  // A run may be so close that it reverts the scale before anybody has looked: then it is scaled once more.
  while (!isSeen) {
    await scaleTo(5);
    await Promise.race([seen, untilReverted()]);
  }
  await untilReverted();
  const { body: reverted } = await cluster.request('GET', web);
  assert.equal((reverted['spec'] as JsonObject)['replicas'], 2);

  const commit = await commitFiles(bare, {
    files: { 'extras/b.yaml': null, 'extras/c.yaml': configMap('c') },
  });
  await watching.saw(
    new RegExp(`^Kustomization/flux-system/extras  ready .*Applied revision: main@sha1:${commit}`, 'm'),
  );
  const { body: maps } = await cluster.request('GET', '/api/v1/namespaces/shop/configmaps');
  const names = (maps['items'] as readonly { metadata: { name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
  assert.deepEqual(names.filter((name) => name.length === 1).sort(), ['a', 'c']);

  const { body: events } = await cluster.request('GET', '/api/v1/namespaces/flux-system/events');
  const told = (events['items'] as readonly JsonObject[]).map(({ message }) => String(message)).join('\n');
  assert.match(told, /Deployment\/shop\/web configured/);
  assert.match(told, /ConfigMap\/shop\/b deleted/);

  watching.child.kill('SIGINT');
  const { code, out, err } = await watching.ended;
  assert.equal(code, 0, err);
  const first = (name: string): number => out.indexOf(`Kustomization/flux-system/${name}  ready`);
  assert.ok(first('infra') < first('apps') && first('apps') < first('extras'), out);
});
