import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startFleetCluster, web, workload } from './fleetCluster.ts';
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
      await workbench.lineMark('cluster: 5 · kubectl (scale)');
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

  it('previews what a prune deletes and prunes it', async (test) => {
    const clone = await cluster.freshClone(test);
    const reports = { ...web, group: 'batch', kind: 'CronJob', namespace: 'jobs', name: 'reports' };
    await editor.inWindow(test, clone, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', /apps.*main@/);
      await editFile(join(clone, 'apps/dev/kustomization.yaml'), (text) =>
        text.replace('  - ../base/worker\n', ''),
      );
      await workbench.expandRow('Workloads', 'apps');
      await workbench.row('Workloads', /CronJob\/reports.*only in the cluster/);
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
      // It may be told as soon as the branch changes, or with the save.
      const told = workbench.toast('reconcile on save is off again');
      await cluster.switchBranch(clone, 'feature');
      await workbench.replaceText('replicas: 4', 'replicas: 6');
      await workbench.save();
      await told;
      assert.equal(replicas(await cluster.live(web)), 4);
    });
  });
});

function replicas(object: unknown): number | undefined {
  return (object as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;
}
