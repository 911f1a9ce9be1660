import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { managedFieldsOf } from '../../src/kube/managedFields.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { leadMs } from '../cluster/reconciled.ts';
import { sharedFleet } from '../cluster/sharedFleet.ts';
import { startEditor } from './harness.ts';

// The real kustomize-controller reconciles; the window looks on.
const fleet = await sharedFleet();
const { flux, namespace } = fleet;
await fleet.write({
  'apps/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "registry.example/web:1" }] }
`,
});
await fleet.publish();
const controller = await fleet.startController();
await controller.untilLeading(AbortSignal.timeout(leadMs));
const apps = await fleet.kustomization('apps');
const editor = await startEditor({ env: { KUBECONFIG: flux.sandbox.kubeconfig } });
const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace, name: 'web' };
const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;

async function scale(replicas: number): Promise<void> {
  const answer = await flux.client.patch(
    web,
    { spec: { replicas } },
    { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
  );
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function replicas(): Promise<number> {
  return ((await flux.get(web))['spec'] as JsonObject)['replicas'] as number;
}

async function untilReplicas(wanted: number): Promise<void> {
  await flux.sandbox.waitFor(path, (object) => (object['spec'] as JsonObject)['replicas'] === wanted);
}

/** Who wrote to the Deployment, beside the cluster's own controllers. */
async function writers(): Promise<readonly string[]> {
  const managers = managedFieldsOf(await flux.get(web)).map(({ manager = '' }) => manager);
  return [...new Set(managers)].filter((manager) => !manager.endsWith('controller-manager')).sort();
}

describe('the editor beside Flux', () => {
  it('shows, compares, suspends and asks the controller, and writes no workload', async (test) => {
    await editor.inWindow(test, fleet.clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.statusItem('synced');
      await workbench.openFile('apps/web.yaml');
      await scale(2);
      await workbench.row('Workloads', /apps.*1 drifted/);
      await workbench.lineMark('cluster: 2 · kubectl (scale)');
      // The mark follows while nothing but the cluster changes.
      await scale(3);
      await workbench.lineMark('cluster: 3 · kubectl (scale)');
      await workbench.rowMenu('Workloads', 'apps', 'Show Differences to the Cluster');
      await workbench.see('.editor.original .view-line', /replicas:\s3/);
      await workbench.screenshot('drift beside Flux');
      assert.equal(await replicas(), 3, 'to look at drift changes nothing');
      assert.deepEqual(await writers(), ['kubectl', 'kustomize-controller']);

      await workbench.rowMenu('Workloads', 'apps', 'Suspend…');
      await workbench.answerInput('release freeze');
      await workbench.row('Workloads', /apps.*suspended: release freeze/);
      assert.equal((await flux.get<Kustomization>(apps)).spec.suspend, true);
      await workbench.rowMenu('Workloads', 'apps', 'Resume');
      await workbench.rowGone('Workloads', 'suspended: release freeze');

      // The controller reconciles what is no longer suspended.
      await untilReplicas(1);

      await scale(3);
      await workbench.row('Workloads', /apps.*1 drifted/);
      await workbench.rowMenu('Workloads', 'apps', /^\s*Reconcile\s*$/);
      await untilReplicas(1);
      await workbench.statusItem('synced');
      const { annotations = {} } = (await flux.get<Kustomization>(apps)).metadata;
      assert.notEqual(annotations['reconcile.fluxcd.io/requestedAt'], undefined);
      assert.ok((await writers()).every((manager) => ['kubectl', 'kustomize-controller'].includes(manager)));
    });
  });
});
