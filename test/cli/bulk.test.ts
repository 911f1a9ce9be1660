import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import type { RunView } from '../../src/protocol/views.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { clusterWithGit } from './clusterWithGit.ts';
import { startPlumb } from './plumbProcess.ts';

const { cluster, git, place } = await clusterWithGit();

const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations';

/** The objects of a path by name, as the server holds them. */
async function held(path: string): Promise<ReadonlyMap<string, JsonObject>> {
  const { body } = await cluster.request('GET', path);
  const items = body['items'] as readonly (JsonObject & { readonly metadata: { readonly name: string } })[];
  return new Map(items.map((item) => [item.metadata.name, item]));
}

async function suspended(): Promise<readonly string[]> {
  return [...(await held(kustomizations))].flatMap(([name, { spec }]) =>
    (spec as { readonly suspend?: boolean }).suspend === true ? [name] : [],
  );
}

/** Not synchronously: the git server is of this process. */
function plumb(...args: readonly string[]): ReturnType<typeof startPlumb>['ended'] {
  return startPlumb(args, place).ended;
}

test('all of a kind are reconciled after what they need, suspended with a reason, and resumed', async () => {
  const { folder: bare, url } = await git.createRepository('fleet');
  const map = (name: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\ndata: { a: "1" }\n`;
  await commitFiles(bare, {
    files: {
      'infra/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
      'apps/web.yaml': map('web'),
      'jobs/nightly.yaml': map('nightly'),
      'idle/idle.yaml': map('idle'),
    },
  });
  assert.equal((await plumb('install', '--yes')).code, 0);
  const source = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    spec: { interval: '1h', url, ref: { branch: 'main' } },
  };
  const sources = '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories';
  assert.equal((await cluster.request('POST', sources, source)).status, 201);
  for (const [name, spec] of [
    ['apps', { dependsOn: [{ name: 'infra' }] }],
    ['idle', { suspend: true }],
    ['infra', {}],
    ['jobs', { dependsOn: [{ name: 'apps' }] }],
  ] as const) {
    const object = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace: 'flux-system' },
      spec: {
        interval: '1h',
        path: `./${name}`,
        prune: true,
        sourceRef: { kind: 'GitRepository', name: 'fleet' },
        ...spec,
      },
    };
    assert.equal((await cluster.request('POST', kustomizations, object)).status, 201);
  }

  const all = await plumb('reconcile', 'ks', '--all', '--with-source', '--local', '-o', 'json');
  assert.equal(all.code, 0, all.err);
  const runs = JSON.parse(all.out) as readonly RunView[];
  assert.deepEqual(
    runs.map(({ ref, ready }) => `${ref.name} ${ready}`),
    ['infra true', 'apps true', 'jobs true'],
  );
  const maps = await held('/api/v1/namespaces/shop/configmaps');
  assert.deepEqual([maps.has('web'), maps.has('nightly'), maps.has('idle')], [true, true, false]);

  const suspend = await plumb('suspend', 'kustomization', '--all', '--reason', 'migration');
  assert.equal(suspend.code, 0, suspend.err);
  assert.equal(suspend.out.match(/ suspended\n/g)?.length, 3);
  assert.deepEqual([...(await suspended())].sort(), ['apps', 'idle', 'infra', 'jobs']);
  const { metadata } = (await held(kustomizations)).get('idle') ?? {};
  assert.doesNotMatch(JSON.stringify(metadata), /migration/, 'it was suspended before, for another reason');
  const none = await plumb('reconcile', 'ks', '--all', '--local');
  assert.deepEqual(
    [none.code, none.out],
    [0, 'nothing to reconcile: all are suspended, or there are none\n'],
  );

  const resume = await plumb('resume', 'kustomization', '--all');
  assert.equal(resume.code, 0, resume.err);
  assert.deepEqual(await suspended(), []);
});

test('--all takes a kind alone, and does not go with an override', async () => {
  for (const args of [
    ['reconcile', 'kustomization', 'apps', '--all'],
    ['suspend', 'kustomization/apps', '--all'],
    ['reconcile', 'kustomization', '--all', '--override'],
    ['reconcile', 'kustomization', 'apps', '--with-descendants'],
  ])
    assert.equal((await plumb(...args)).code, 64, args.join(' '));
});
