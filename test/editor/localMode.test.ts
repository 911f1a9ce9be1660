import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { getCondition } from '../../src/flux/conditions.ts';
import { startFleetCluster, web, workload } from './fleetCluster.ts';
import { editFile, startEditor } from './harness.ts';

const cluster = await startFleetCluster();
const editor = await startEditor({ env: { KUBECONFIG: cluster.sandbox.kubeconfig } });
const drifted = /apps.*1 drifted/;
const badge = '.activitybar .action-item:has([aria-label^="GitOps"]) .badge:not([style*="none"])';

async function finalizers(): Promise<readonly string[]> {
  return (await cluster.live(workload('apps')))?.metadata.finalizers ?? [];
}

/** When somebody last asked for a run of apps; undefined where nobody ever did. */
async function lastRequest(): Promise<string | undefined> {
  const annotations = (await cluster.live(workload('apps')))?.metadata.annotations ?? {};
  return annotations['reconcile.fluxcd.io/requestedAt'];
}

function isReadyWith(interval: string): (kustomization: Kustomization) => boolean {
  return ({ metadata, spec, status }) => {
    const ready = getCondition(status?.conditions ?? [], 'Ready');
    const isSeen = ready?.observedGeneration === metadata.generation;
    return spec.interval === interval && isSeen && ready?.status === 'True';
  };
}

function lastRun({ status }: Kustomization): string | undefined {
  return status?.history?.[0]?.lastReconciled;
}

describe('the editor in local mode', () => {
  it('reverts drift at the interval and follows commits by itself, reverts at once where told to, and is left for good', async (test) => {
    const clone = await cluster.freshClone(test);
    const appsFile = join(clone, 'clusters/dev/apps.yaml');
    const sourceFile = join(clone, 'clusters/dev/flux-system/gotk-sync.yaml');
    await editFile(appsFile, (text) => text.replace('interval: 5m', 'interval: 30s'));
    await editFile(sourceFile, (text) => text.replace('interval: 1m0s', 'interval: 3s'));
    await cluster.push(clone, 'Look every half minute');
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.runCommand('Plumb: Choose Who Reconciles…');
      await workbench.pickItem('Local');
      await workbench.dialogText();
      await workbench.dialogButton('Reconcile from Here');
      await cluster.waitForWorkload(workload('apps'), isReadyWith('30s'));
      await workbench.statusItem('synced');
      await workbench.openFile('apps/dev/web.yaml');
      const asked = await lastRequest();

      const driftAfterRun = async (): Promise<void> => {
        const before = lastRun((await cluster.live(workload('apps'))) as unknown as Kustomization);
        await cluster.waitForWorkload(workload('apps'), (apps) => lastRun(apps) !== before);
        await cluster.scale(web, 5);
      };
      // Right after a run, so that there is time to see it before the next one.
      await driftAfterRun();
      let isSeen = false;
      const seen = Promise.all([
        workbench.lineMark('cluster: 5 · kubectl (scale)'),
        workbench.row('Workloads', drifted),
        workbench.statusItem('1 drifted'),
        workbench.see(badge, '1'),
      ]).then(() => (isSeen = true));
      // On a machine that is too busy for that the next interval is as good.
      for (;;) {
        await Promise.race([seen, cluster.waitForReplicas(web, 3)]);
        if (isSeen) break;
        await driftAfterRun();
      }
      await workbench.screenshot('drift in local mode');
      await cluster.waitForReplicas(web, 3);
      await workbench.rowGone('Workloads', drifted);
      await workbench.noLineMark();
      await workbench.statusItem('synced');
      assert.equal(await lastRequest(), asked, 'nobody asked for the run');

      // Neither does anybody ask for what a commit says; from now on the interval is out of the picture.
      await editFile(appsFile, (text) => text.replace('interval: 30s', 'interval: 1h'));
      await editFile(join(clone, 'apps/dev/web.yaml'), (text) => text.replace('replicas: 3', 'replicas: 2'));
      const commit = await cluster.push(clone, 'Run two replicas, and look every hour');
      await cluster.waitForReplicas(web, 2);
      await cluster.waitForWorkload(workload('apps'), isReadyWith('1h'));
      await workbench.row('Workloads', new RegExp(`apps.*main@${commit.slice(0, 7)}`));
      await workbench.statusItem('synced');

      await workbench.rowMenu('Workloads', 'apps', 'Choose When Drift Is Reverted…');
      const told = workbench.statusItem('apps: drift is reverted at once');
      await workbench.pickItem('At Once');
      await told;
      await cluster.scale(web, 5);
      await cluster.waitForReplicas(web, 2);
      await workbench.rowGone('Workloads', drifted);
      await workbench.statusItem('synced');
      await workbench.gone(badge);
      await workbench.screenshot('reverted at once');
      assert.equal(await lastRequest(), asked, 'nobody asked for a run');

      await workbench.runCommand('Plumb: Leave Local Mode for Good…');
      assert.match(await workbench.dialogText(), /cluster sandbox for good\?[^]*7 Leases given up/);
      await workbench.screenshot('leave local mode');
      await workbench.dialogButton('Cancel');
      assert.notDeepEqual(await finalizers(), [], 'nothing is written before the answer');
      await workbench.runCommand('Plumb: Leave Local Mode for Good…');
      await workbench.dialogButton('Leave for Good');
      await workbench.line('Leave local mode on sandbox: done');
      await workbench.screenshot('left local mode');
      assert.deepEqual(await finalizers(), []);
      assert.equal(replicas(await cluster.live(web)), 2, 'workloads stay');
      await workbench.rowMenu('Workloads', 'apps', 'Reconcile with Source');
      await workbench.toast('nobody reconciles');
    });
  });
});

function replicas(object: unknown): number | undefined {
  return (object as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;
}
