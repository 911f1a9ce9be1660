import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '../../src/base/logger.ts';
import { planText } from '../../src/cli/printers/planText.ts';
import { styleFor } from '../../src/cli/terminal.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { FieldChangeView, PlanView } from '../../src/protocol/views.ts';
import { runGit } from '../servers/gitRepository.ts';
import { fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'seen');
const { namespace } = fleet;
const folder = await mkdtemp(join(tmpdir(), 'plumb-seen-'));
const clone = join(folder, 'fleet');
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
`;
await fleet.commit({ 'apps/web.yaml': inNamespace(namespace, deployment) });
const apps = await fleet.kustomization('apps');
assert.equal((await fleet.run(apps)).result, 'succeeded');
await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);
const engine = await createEngine(
  { folders: [clone], kubeconfig: [flux.sandbox.kubeconfig], schedule: 'continuous' },
  { log: silentLogger },
);
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});
const web = fleet.ref('Deployment', 'web', 'apps');

/** Plans until the watch has delivered that number of replicas. */
async function planAt(replicas: number): Promise<readonly [PlanView, FieldChangeView]> {
  for (const until = Date.now() + 120_000; Date.now() < until; await delay(50)) {
    const plan = await engine.plan(apps, 'workingTree');
    const field = plan.changes
      .flatMap(({ fields }) => fields)
      .find(({ pointer }) => pointer === '/spec/replicas');
    if (field?.live === replicas && field.owners.some(({ seen }) => seen !== undefined)) return [plan, field];
  }
  throw new Error(`nobody saw ${replicas} replicas`);
}

test('a scale, whose time the server does not record, has the time at which the watch saw it', async () => {
  // Followed from the first plan on.
  assert.deepEqual(
    (await engine.plan(apps, 'workingTree')).changes.map(({ action }) => action),
    ['unchanged'],
  );
  const before = Date.now();
  const scale = { spec: { replicas: 5 } };
  const options = { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' } as const;
  assert.equal((await flux.client.patch(web, scale, options)).type, 'ok');
  const [plan, field] = await planAt(5);
  const [owner] = field.owners;
  assert.deepEqual([owner?.manager, owner?.subresource, owner?.time], ['kubectl', 'scale', undefined]);
  const seen = Date.parse(owner?.seen ?? '');
  assert.ok(seen >= before && seen <= Date.now(), owner?.seen);
  assert.match(planText(plan, styleFor(false), Date.now()), /kubectl \(scale\), seen \d+ s ago/);
  // Another change beside it is no news of the replicas.
  await flux.client.patch(
    web,
    { metadata: { labels: { by: 'hand' } } },
    { type: 'merge', fieldManager: 'test' },
  );
  const [, later] = await planAt(5);
  assert.equal(later.owners[0]?.seen, owner?.seen);
});
