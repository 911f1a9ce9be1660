import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { quota, startFleetCluster, web, workload } from './fleetCluster.ts';
import { editFile, startEditor } from './harness.ts';

const cluster = await startFleetCluster();
const editor = await startEditor({ env: { KUBECONFIG: cluster.sandbox.kubeconfig } });

describe('the editor on a cluster', () => {
  it('shows state, revision and objects of every workload', async (test) => {
    await editor.inWindow(test, await cluster.freshClone(test), async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@[0-9a-f]{7}/);
      assert.deepEqual([...(await workbench.rowLabels('Workloads'))].sort(), [
        'apps',
        'flux-system',
        'infra',
      ]);
      await workbench.expandRow('Workloads', 'apps');
      await workbench.row('Workloads', 'Deployment/web');
      await workbench.row('Sources', /flux-system.*main@[0-9a-f]{7}/);
      await workbench.statusItem('synced');
      await workbench.screenshot('reconciled');
    });
  });

  it('shows drift on its line and in the diff editor, and reverts it when told to', async (test) => {
    const clone = await cluster.freshClone(test);
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.openFile('apps/dev/web.yaml');
      await cluster.scale(web, 5);
      await (await workbench.lineMark('cluster: 5 · kubectl (scale)')).click();
      const hover = await workbench.hover('drifted: the cluster left what was last applied');
      // The diff is coloured after the hover has been shown.
      await workbench.see('.monaco-hover .monaco-tokenized-source', 'replicas: 5');
      assert.match(
        (await hover.innerText()).replaceAll('\u00a0', ' '),
        /- replicas: 5\n\+ replicas: 3\n(?=[^]*Deployment\/shop\/web)(?=[^]*\/spec\/replicas)(?![^]*Object[^]*Object)[^]*kubectl \(scale\)/,
      );
      await workbench.screenshot('drift hover');
      await workbench.page.keyboard.press('Escape');
      await workbench.quickFix('Revert the cluster to Git: apply apps');
      assert.match(await workbench.dialogText(), /to the cluster sandbox\?[^]*\/spec\/replicas: 5 → 3/);
      await workbench.dialogButton('Cancel');
      await workbench.openFile('apps/dev/web.yaml');
      await (await workbench.lineMark('cluster: 5')).click();
      await workbench.quickFix('Show the differences of Deployment/shop/web');
      await workbench.tab('Deployment/shop/web');
      await workbench.rowMenu('Workloads', 'apps', 'Show Differences to the Cluster');
      await workbench.tab('Deployment/shop/web');
      await workbench.see('.editor.original .view-line', /replicas:\s5/);
      await workbench.see('.editor.modified .view-line', /replicas:\s3/);
      await workbench.screenshot('drift in the diff editor');

      await workbench.rowMenu('Workloads', 'apps', 'Apply…');
      const question = await workbench.dialogText();
      assert.match(question, /to the cluster sandbox\?/);
      assert.match(question, /\/spec\/replicas: 5 → 3/);
      await workbench.dialogButton('Cancel');
      assert.equal(replicas(await cluster.live(web)), 5, 'nothing is written before the answer');

      await workbench.rowMenu('Workloads', 'apps', 'Apply…');
      await workbench.dialogButton('Apply 1 Change');
      await cluster.waitForReplicas(web, 3);
    });
  });

  it('takes a live value into Git', async (test) => {
    const clone = await cluster.freshClone(test);
    await editor.inWindow(test, clone, async (workbench) => {
      await cluster.scale(web, 4);
      await workbench.openFile('apps/dev/web.yaml');
      await (await workbench.lineMark('cluster: 4')).click();
      await workbench.quickFix('Take the live value 4 into Git');
      await workbench.see('.monaco-editor .view-line', /replicas:\s4/);
      await workbench.noLineMark();
    });
  });

  it('names what is on one side only above it, previews what a prune deletes and prunes it', async (test) => {
    const clone = await cluster.freshClone(test);
    const reports = { ...web, group: 'batch', kind: 'CronJob', namespace: 'jobs', name: 'reports' };
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await editFile(join(clone, 'apps/dev/kustomization.yaml'), (text) =>
        text.replace('  - ../base/worker\n', '  - extra.yaml\n'),
      );
      await writeFile(join(clone, 'apps/dev/extra.yaml'), configMap('extra'));
      await workbench.expandRow('Workloads', 'apps');
      await workbench.row('Workloads', /CronJob\/reports.*only in the cluster/);
      await workbench.openFile('apps/dev/extra.yaml');
      await workbench.screenshot('only in Git');
      await (await workbench.lens('only in Git: apply creates ConfigMap/shop/extra')).click();
      assert.match(await workbench.dialogText(), /create ConfigMap\/shop\/extra/);
      await workbench.dialogButton('Cancel');
      await workbench.openFile('apps/dev/kustomization.yaml');
      const stale = await workbench.lens(/only in the cluster: .*CronJob\/jobs\/reports/);
      await workbench.screenshot('only in the cluster');
      await stale.click();
      assert.match(await workbench.dialogText(), /delete CronJob\/jobs\/reports/);
      await workbench.dialogButton('Cancel');
      await workbench.rowMenu('Workloads', /^apps/, 'Prune…');
      const question = await workbench.dialogText();
      assert.match(question, /Delete 2 objects of .*apps from the cluster sandbox\?/);
      assert.match(question, /delete CronJob\/jobs\/reports/);
      await workbench.screenshot('prune preview');
      assert.ok(await cluster.live(reports), 'nothing is deleted before the answer');
      await workbench.dialogButton('Delete 2 Objects');
      await workbench.rowGone('Workloads', 'CronJob/reports');
      assert.equal(await cluster.live(reports), undefined);
    });
  });

  it('reconciles with the source once it may, and shows the new revision', async (test) => {
    const clone = await cluster.freshClone(test);
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.rowMenu('Workloads', 'apps', 'Reconcile with Source');
      await workbench.toast('nobody reconciles');
      await workbench.runCommand('Plumb: Choose Who Reconciles…');
      await workbench.pickItem('Local');
      assert.match(await workbench.dialogText(), /reconcile the cluster sandbox\?/);
      await workbench.dialogButton('Reconcile from Here');
      await workbench.statusItem('synced');
      await editFile(join(clone, 'apps/dev/web.yaml'), (text) => text.replace('replicas: 3', 'replicas: 2'));
      await cluster.push(clone, 'Run two replicas');
      await workbench.rowMenu('Workloads', 'apps', 'Reconcile with Source');
      await cluster.waitForReplicas(web, 2);
      await workbench.runCommand('Plumb: Choose Who Reconciles…');
      await workbench.pickItem('Observe');
    });
  });

  it('finds the cluster that reconciles the folder and binds the workspace to it', async (test) => {
    const clone = await cluster.freshClone(test);
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.runCommand('Plumb: Choose Cluster…');
      await workbench.pickItem('Find by the Remotes of This Folder…');
      await workbench.question('Which clusters may be asked, with your logins?');
      await workbench.pickItem('sandbox');
      await (await workbench.see('.quick-input-widget .monaco-button', 'OK')).click();
      await workbench.pickItem(/sandbox.*reconciles .*3 Kustomizations of this folder/);
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.runCommand('Plumb: Choose Cluster…');
      await workbench.see('.quick-input-widget .monaco-list-row', /sandbox.*now, /);
    });
  });

  it('shows what waits, has failed or is running, with the reason', async (test) => {
    const clone = await cluster.freshClone(test);
    const kustomization = join(clone, 'apps/dev/kustomization.yaml');
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await editFile(kustomization, (text) => text.replace('../base/worker', '../base/none'));
      await cluster.push(clone, 'Name a folder that is not there');
      await cluster.reconcile(workload('apps'));
      await workbench.row('Workloads', /apps.*DependencyNotReady.*infra/);
      assert.equal((await cluster.reconcile(workload('infra'), workload('apps'))).ready, false);
      await workbench.row('Workloads', /apps.*BuildFailed.*base\/none/);
      await workbench.statusItem('1 failed');
      await workbench.screenshot('failed');

      await writeFile(join(clone, 'apps/dev/never.yaml'), neverBound);
      await editFile(kustomization, (text) => text.replace('../base/none', 'never.yaml'));
      await cluster.push(clone, 'Claim a volume that nobody provides');
      await cluster.reconcile(workload('infra'));
      await cluster.whileReconciling(workload('apps'), async () => {
        await workbench.row('Workloads', /apps.*Progressing.*Running health checks/);
        await workbench.statusItem('progressing');
        await workbench.expandRow('Workloads', 'apps');
        await workbench.row('Workloads', 'PersistentVolumeClaim/never');
        await workbench.screenshot('progressing');
      });
    });
  });

  it('suspends with a reason and resumes', async (test) => {
    const clone = await cluster.freshClone(test);
    const suspended = async () =>
      ((await cluster.live(workload('apps')))?.['spec'] as { suspend?: boolean }).suspend === true;
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.rowMenu('Workloads', 'apps', 'Suspend…');
      await workbench.answerInput('database migration');
      await workbench.row('Workloads', /apps.*suspended: database migration/);
      assert.ok(await suspended());
      await workbench.statusItem('1 suspended');
      await workbench.screenshot('suspended');
      await workbench.rowMenu('Workloads', 'apps', 'Resume');
      await workbench.rowGone('Workloads', 'suspended: database migration');
      assert.equal(await suspended(), false);
    });
  });

  it('applies on save what the user agreed to, and no longer on another branch', async (test) => {
    const clone = await cluster.freshClone(test);
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await workbench.runCommand('Plumb: Choose What a Save Does…');
      await workbench.pickItem('everything else stops at the preview');
      assert.match(await workbench.dialogText(), /Apply to the cluster sandbox whenever/);
      await workbench.dialogButton('Apply on Save');
      await workbench.statusItem('apply on save → sandbox');
      await workbench.openFile('apps/dev/web.yaml');
      await workbench.replaceText('replicas: 3', 'replicas: 4');
      assert.equal(replicas(await cluster.live(web)), 3, 'typing changes nothing');
      await workbench.save();
      await cluster.waitForReplicas(web, 4);

      // Only the document that is in focus counts, also when all are saved.
      await workbench.replaceText('replicas: 4', 'replicas: 5');
      await workbench.openFile('infra/dev/smaller-quota.yaml');
      await workbench.replaceText('pods: "30"', 'pods: "29"');
      await workbench.runCommand('File: Save All Files');
      await cluster.waitForPods(quota, '29');
      await workbench.replaceText('pods: "29"', 'pods: "28"');
      await workbench.save();
      await cluster.waitForPods(quota, '28');
      assert.equal(replicas(await cluster.live(web)), 4, 'the file that was not in focus is only saved');

      await workbench.openFile('apps/dev/kustomization.yaml');
      await workbench.replaceText('  - ../base/worker', '');
      const stopped = workbench.toast(/Not applied: .*is no longer in Git; a save deletes nothing/);
      await workbench.save();
      await stopped;
      await workbench.screenshot('stopped at the preview');
      assert.equal(replicas(await cluster.live(web)), 4, 'what stops is not applied in part');
      await workbench.openFile('apps/dev/web.yaml');
      // It may be told as soon as the branch changes, or with the save.
      const told = workbench.toast('reconcile on save is off again');
      await cluster.switchBranch(clone, 'feature');
      await workbench.replaceText('replicas: 5', 'replicas: 6');
      await workbench.save();
      await told;
      assert.equal(replicas(await cluster.live(web)), 4);
    });
  });
});

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: shop\ndata:\n  color: blue\n`;
}

const neverBound = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: never, namespace: shop }
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: none
  resources: { requests: { storage: 1Gi } }
`;

function replicas(object: unknown): number | undefined {
  return (object as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;
}
