import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../../src/kube/object.ts';
import type { PlanView } from '../../src/protocol/views.ts';
import { fluxCluster } from '../cluster/fluxCluster.ts';
import { runGit } from '../servers/gitRepository.ts';
import { type Run, runPlumb } from './plumbProcess.ts';

const flux = await fluxCluster();
const namespace = await flux.sandbox.freshNamespace('diff');
const folder = mkdtempSync(join(tmpdir(), 'plumb-diff-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'apps', 'settings.yaml');
const url = 'https://git.example.com/fleet.git';
const names = (name: string) => ({ name, namespace });

const settings = (color: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: ${namespace}\ndata:\n  color: ${color}\n`;

before(async () => {
  mkdirSync(join(folder, 'apps'));
  writeFileSync(file, settings('blue'));
  writeFileSync(join(folder, 'apps', 'kustomization.yaml'), 'resources: [settings.yaml]\n');
  await runGit(folder, ['init', '--quiet', '-b', 'main']);
  await runGit(folder, ['remote', 'add', 'origin', url]);
  const objects: readonly KubeObject[] = [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: names('fleet'),
      spec: { interval: '10m', url, ref: { branch: 'main' } },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: names('apps'),
      spec: {
        interval: '10m',
        path: './apps',
        prune: true,
        sourceRef: { kind: 'GitRepository', name: 'fleet' },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...names('settings'),
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': namespace,
        },
      },
      data: { color: 'blue' },
    },
  ];
  for (const object of objects) {
    const answer = await flux.client.apply(object, {
      fieldManager: object.kind === 'ConfigMap' ? 'kustomize-controller' : 'test',
      force: true,
      dryRun: false,
    });
    assert.equal(answer.type, 'ok', JSON.stringify(answer));
  }
});

function diff(...args: readonly string[]): Run {
  return runPlumb(['diff', 'kustomization', 'apps', '-n', namespace, ...args], {
    cwd: folder,
    env: { KUBECONFIG: flux.sandbox.kubeconfig },
  });
}

test('no differences: exit code 0', () => {
  const { code, out, err } = diff();
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /no differences in 1 objects\n$/);
});

test('differences: exit code 1, and JSON with field, origin and manager; the cluster stays as it is', async () => {
  const changed = await flux.client.patch(
    { group: '', version: 'v1', kind: 'ConfigMap', ...names('settings') },
    { data: { color: 'red' } },
    { type: 'merge', fieldManager: 'kubectl-edit' },
  );
  assert.equal(changed.type, 'ok');
  const { code, out } = diff('-o', 'json');
  assert.equal(code, 1);
  const plan = JSON.parse(out) as PlanView;
  const [field, ...more] = plan.changes[0]?.fields ?? [];
  assert.deepEqual(more, []);
  assert.deepEqual([field?.pointer, field?.live, field?.desired], ['/data/color', 'red', 'blue']);
  assert.deepEqual(
    field?.owners.map(({ manager, operation }) => [manager, operation]),
    [['kubectl-edit', 'Update']],
  );
  assert.deepEqual([field?.location?.path, field?.location?.range.start.line], ['apps/settings.yaml', 6]);
  const live = await flux.get({ group: '', version: 'v1', kind: 'ConfigMap', ...names('settings') });
  assert.deepEqual(live['data'], { color: 'red' });
});

test('an object that the server refuses: exit code 2, with its words and the line', () => {
  writeFileSync(file, settings('blue').replace('color: blue', 'not/a/key: x'));
  const { code, out } = diff();
  assert.equal(code, 2);
  assert.match(
    out,
    /✗ ConfigMap\/diff-\w+\/settings refused {2}apps\/settings\.yaml:1\n.*not\/a\/key.*\n1 refused/s,
  );
});

test('files that do not build: exit code 2, with file and line', () => {
  writeFileSync(file, 'apiVersion: v1\nkind: [\n');
  const { code, out, err } = diff();
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /apps\/settings\.yaml:\d+:\d+: .*\(BuildFailed\)/);
});

test('a Kustomization that is nowhere: exit code 2', () => {
  const { code, err } = runPlumb(['diff', 'ks', 'nobody', '-n', namespace], {
    cwd: folder,
    env: { KUBECONFIG: flux.sandbox.kubeconfig },
  });
  assert.equal(code, 2);
  assert.match(err, /Kustomization\/diff-\w+\/nobody: .*\(NotFound\)\n {2}\S/);
});
