import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { editFile, fleetCopy, startEditor, temporaryFolder } from './harness.ts';

const editor = await startEditor();

describe('the editor without a cluster', () => {
  it('shows every source and workload that the files define', async (test) => {
    await editor.inWindow(test, await fleetCopy(test), async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', 'apps');
      const labels = await workbench.rowLabels('Workloads');
      assert.deepEqual([...labels].sort(), ['apps', 'flux-system', 'infra']);
      assert.ok(labels.indexOf('infra') < labels.indexOf('apps'), 'what others depend on stands first');
      await workbench.row('Sources', 'flux-system');
      await workbench.statusItem('no cluster');
      await workbench.see('.pane-body .message', 'No cluster: this is what the files say.');
      await workbench.screenshot('tree without a cluster');
    });
  });

  it('lists below a workload the objects that it builds', async (test) => {
    await editor.inWindow(test, await fleetCopy(test), async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.expandRow('Workloads', 'apps');
      await workbench.row('Workloads', 'Deployment/web');
      const labels = await workbench.rowLabels('Workloads');
      for (const label of ['Deployment/web', 'Deployment/api', 'Service/web', 'CronJob/reports'])
        assert.ok(labels.includes(label), `${label} is among ${labels.join(', ')}`);
    });
  });

  it('opens the file that defines a workload', async (test) => {
    await editor.inWindow(test, await fleetCopy(test), async (workbench) => {
      await workbench.openContainer('GitOps');
      await (await workbench.row('Workloads', 'apps')).click();
      await workbench.tab('apps.yaml');
    });
  });

  it('shows a workload as soon as its file is there', async (test) => {
    const folder = await fleetCopy(test);
    await editor.inWindow(test, folder, async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', 'apps');
      await writeFile(join(folder, 'clusters/dev/extra.yaml'), kustomization('extra'));
      await workbench.row('Workloads', 'extra');
    });
  });

  it('follows a file while it is being edited', async (test) => {
    await editor.inWindow(test, await fleetCopy(test), async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.row('Workloads', 'infra');
      await workbench.openFile('clusters/dev/infra.yaml');
      await workbench.replaceText('name: infra', 'name: platform');
      await workbench.row('Workloads', 'platform');
    });
  });

  it('marks dependencies that wait for each other, and leads to the object they name', async (test) => {
    const folder = await fleetCopy(test);
    await editFile(
      join(folder, 'clusters/dev/infra.yaml'),
      (text) => `${text}  dependsOn:\n    - name: apps\n`,
    );
    await editor.inWindow(test, folder, async (workbench) => {
      await workbench.openFile('clusters/dev/infra.yaml');
      await workbench.see('.monaco-editor .squiggly-error');
      await workbench.line('name: apps').then((line) => line.click());
      await workbench.page.keyboard.press('F8');
      await workbench.see('.marker-widget', /dependencies form a cycle: .*infra → .*apps → .*infra/);
      await workbench.screenshot('dependency cycle');
      await workbench.page.keyboard.press('Escape');
      await workbench.page.keyboard.press('F12');
      await workbench.tab('apps.yaml');
      await workbench.openFile('clusters/dev/infra.yaml');
      await workbench.replaceText('- name: apps', '- name: gone');
      await workbench.page.keyboard.press('F8');
      await workbench.see('.marker-widget', /gone/);
      await workbench.screenshot('missing dependency');
    });
  });

  it('says what to do in a folder without Flux objects', async (test) => {
    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await workbench.openContainer('GitOps');
      await workbench.see('.welcome-view-content', 'These folders have no Flux objects');
      await workbench.screenshot('empty folder');
    });
  });
});

function kustomization(name: string): string {
  return [
    'apiVersion: kustomize.toolkit.fluxcd.io/v1',
    'kind: Kustomization',
    `metadata: { name: ${name}, namespace: flux-system }`,
    'spec:',
    '  interval: 10m',
    '  path: ./infra/dev',
    '  prune: true',
    '  sourceRef: { kind: GitRepository, name: flux-system }',
    '',
  ].join('\n');
}
