import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Workbench } from '../../scripts/editor/workbench.ts';
import { startEditor, temporaryFolder } from './harness.ts';
import { startSetupCluster, until } from './setupCluster.ts';

const cluster = await startSetupCluster();
const editor = await startEditor({
  env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.home, XDG_CONFIG_HOME: `${cluster.home}/.config` },
});

const kustomization =
  '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system';

describe('bootstrap from the command palette', () => {
  it('asks back and forth, shows the plan, and syncs an empty cluster with an empty repository', async (test) => {
    const repository = await cluster.httpRepository('fleet');
    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await begin(workbench, 'sandbox');
      await workbench.question('Git repository');
      await workbench.typeInput('http://git.example.com/fleet.git');
      await workbench.see('.quick-input-message', 'Plain HTTP is for this machine only');
      await workbench.answerInput(repository.url);
      await workbench.question('branch to commit to');
      await workbench.inputBack();
      await workbench.question('Git repository');
      assert.equal(await workbench.inputValue(), repository.url);
      await workbench.acceptInput();
      await workbench.question('branch to commit to');
      await workbench.screenshot('bootstrap question');
      await workbench.acceptInput();
      await workbench.question('folder of this cluster');
      await workbench.answerInput('clusters/dev');
      await workbench.pickItem('No login');
      await workbench.question('namespace of the Flux objects');
      await workbench.acceptInput();

      await workbench.tab('Bootstrap sandbox.md');
      await workbench.line('Nothing has been written yet');
      await workbench.screenshot('bootstrap plan');
      assert.deepEqual(await cluster.commits(repository), [], 'nothing is written before the approval');
      assert.equal((await cluster.read('/api/v1/namespaces/flux-system')).status, 404);

      await workbench.pickItem('Bootstrap sandbox');
      await workbench.line('Bootstrap sandbox: done', 4);
      await workbench.screenshot('bootstrap result');
      assert.equal((await cluster.commits(repository)).length, 2);
      assert.match(JSON.stringify((await cluster.read(kustomization)).body['status']), /"type":"Ready"/);

      await workbench.runCommand('Plumb: Bootstrap…');
      await acceptAll(workbench);
      await workbench.line('Everything is in place');
      await workbench.pickItem('Reconcile sandbox');
      await workbench.line('None: the repository was up to date', 4);
      assert.equal((await cluster.commits(repository)).length, 2, 'a second run commits nothing');

      await workbench.runCommand('Plumb: Check Installation');
      await workbench.line('Check of sandbox: passed');
      await workbench.screenshot('check page');

      await workbench.runCommand('Plumb: Uninstall…');
      await workbench.acceptInput();
      assert.match(await workbench.dialogText(), /Uninstall Flux from the cluster sandbox\?/);
      await workbench.screenshot('uninstall preview');
      await workbench.dialogButton('Cancel');
      assert.equal((await cluster.read(kustomization)).status, 200, 'nothing is deleted before the answer');
      await workbench.runCommand('Plumb: Uninstall…');
      await workbench.acceptInput();
      await workbench.dialogButton('Delete');
      await workbench.line('Uninstall Flux from sandbox: done', 4);
      await workbench.rowGone('Workloads', 'flux-system');
      await workbench.see('.welcome-view-content', 'Neither these folders nor the cluster');
      await workbench.screenshot('after uninstall');
    });
  });

  it('tells a dead cluster, missing rights and a rejected push, and the next try succeeds', async (test) => {
    const repository = await cluster.httpRepository('rejected');
    const freed = await cluster.beforePush(repository, 'echo "main is frozen" >&2; exit 1');
    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await begin(workbench, 'dead');
      await workbench.question('Git repository');
      await workbench.answerInput(repository.url);
      await acceptAll(workbench, questions.slice(2));
      await workbench.toastButton('127.0.0.1:1', 'Change Answers…');

      await workbench.question('Which cluster?');
      await workbench.pickItem('viewer');
      await acceptAll(workbench, questions.slice(1));
      await workbench.screenshot('bootstrap without rights');
      await workbench.toastButton(/CustomResourceDefinition\/.*Forbidden/, 'Change Answers…');
      assert.deepEqual(await cluster.commits(repository), []);

      await workbench.question('Which cluster?');
      await workbench.pickItem('sandbox');
      await acceptAll(workbench, questions.slice(1));
      await workbench.pickItem('Bootstrap sandbox');
      await workbench.toast(/main is frozen.*allow the push or try again/);
      await workbench.screenshot('bootstrap rejected');
      await freed();
      await workbench.toastButton('main is frozen', 'Try Again');
      await workbench.pickItem('Bootstrap sandbox');
      await workbench.line('Bootstrap sandbox: done', 4);
      assert.equal((await cluster.commits(repository)).length, 2);
    });
  });

  it('makes a deploy key, waits for its registration, and goes on after a cancelled run', async (test) => {
    const repository = await cluster.sshRepository('keyed');
    const hold = join(repository.folder, 'hold');
    await writeFile(hold, '');
    await cluster.beforePush(repository, `while [ -e ${hold} ]; do sleep 0.2; done`);
    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await begin(workbench, 'sandbox');
      await workbench.question('Git repository');
      await workbench.answerInput(repository.url);
      await acceptAll(workbench, questions.slice(2));
      const publicKey = (await (await workbench.line('ssh-ed25519 AAAA')).innerText()).replaceAll(
        '\u00a0',
        ' ',
      );
      await workbench.screenshot('bootstrap with a deploy key');
      await workbench.pickItem('Copy the deploy key');
      await workbench.statusItem('deploy key copied');
      await workbench.see('.quick-input-list .monaco-list-row.focused', 'The key is registered');
      await workbench.pickItem('The key is registered: bootstrap sandbox');
      await workbench.toastButton('bootstrapping sandbox', 'Cancel');
      await workbench.toast('was cancelled');
      await rm(hold);
      await workbench.toastButton('was cancelled', 'Try Again');
      await workbench.line(publicKey);
      await workbench.pickItem('The key is registered: bootstrap sandbox');
      await workbench.toast('add this deploy key');
      await workbench.screenshot('bootstrap waits for the key');
      cluster.ssh.allow(publicKey, 'read');
      await workbench.toastButton('add this deploy key', 'Try Again');
      await approveUntilDone(workbench);
      assert.equal((await cluster.commits(repository)).length, 2);
    });
  });

  it('takes a token, and goes on where a window was that was closed in mid-run', async (test) => {
    const repository = await cluster.tokenRepository('closed');
    const [hold, held] = ['hold', 'held'].map((name) => join(repository.folder, name)) as [string, string];
    await writeFile(hold, '');
    // The first commit gets through; the second one waits, and is refused in the end.
    await cluster.beforePush(
      repository,
      `[ -e ${hold} ] && git rev-parse --quiet --verify refs/heads/main >/dev/null || exit 0\n` +
        `touch ${held}; while [ -e ${hold} ]; do sleep 0.2; done; exit 1`,
    );
    const tokenQuestion = ['.quick-input-title', 'Password or token of git'] as const;
    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await planWithToken(workbench, repository.url);
      await workbench.see(...tokenQuestion);
      await workbench.screenshot('bootstrap asks for a token');
      await workbench.answerInput('wr0ng');
      const refused =
        /Plumb: http:\S+: the server refused the user name or the token \(git .*check the user name/;
      await workbench.toast(refused);
      await workbench.screenshot('bootstrap with a wrong token');
      await workbench.toastButton(refused, 'Try Again');
      await workbench.see(...tokenQuestion);
      await workbench.answerInput(cluster.token);
      await workbench.line('Nothing has been written yet');
      await workbench.pickItem('Bootstrap sandbox');
      // Run alone, the test installs Flux first.
      await until(() => Promise.resolve(existsSync(held)), 4);
      await workbench.leave();
    });
    await cluster.untilNobodyPushes();
    assert.equal(
      (await cluster.commits(repository)).length,
      1,
      'nothing is pushed after the window was closed',
    );
    await rm(hold);

    await editor.inWindow(test, await temporaryFolder(test, 'empty'), async (workbench) => {
      await planWithToken(workbench, repository.url);
      await workbench.see(...tokenQuestion);
      await workbench.answerInput(cluster.token);
      await workbench.line('Commit "Add Flux sync manifests" and push it:');
      await workbench.gone('.view-line', 'component manifests" and push it:');
      await workbench.line('that the cluster has already');
      await workbench.screenshot('bootstrap after a closed window');
      await workbench.pickItem('Bootstrap sandbox');
      await workbench.gone('.notification-toast', 'Store it');
      await workbench.line('Bootstrap sandbox: done', 4);
      await workbench.toastButton("Store it in the editor's secret storage?", 'Store');
      await workbench.runCommand('Plumb: Forget Credentials…');
      await workbench.see('.quick-input-list .monaco-list-row', 'password or token of git');
      await workbench.page.keyboard.press('Escape');
      assert.equal((await cluster.commits(repository)).length, 2);
      const secret = await cluster.read('/api/v1/namespaces/flux-system/secrets/flux-system');
      assert.deepEqual(secret.body['data'], {
        username: Buffer.from('git').toString('base64'),
        password: Buffer.from(cluster.token).toString('base64'),
      });
    });
  });
});

/** The window reconciles since the first try, so that it may change what a plan was made of. */
async function approveUntilDone(workbench: Workbench): Promise<void> {
  const outdated = 'changed since the bootstrap was planned';
  for (;;) {
    await workbench.pickItem(/(Reconcile|Bootstrap) sandbox/);
    const end = workbench.page
      .locator(`.view-line:has-text("Bootstrap sandbox: done"), .notification-toast:has-text("${outdated}")`)
      .first();
    await end.waitFor({ timeout: 240_000 });
    if (!(await end.innerText()).includes(outdated)) return;
    await workbench.toastButton(outdated, 'Try Again');
  }
}

/** Answers the questions for a repository that wants a token. */
async function planWithToken(workbench: Workbench, url: string): Promise<void> {
  await begin(workbench, 'sandbox');
  await workbench.question('Git repository');
  await workbench.answerInput(url);
  await acceptAll(workbench, questions.slice(2, 4));
  await workbench.pickItem('User name and token');
  await workbench.question('user name for the token');
  await workbench.acceptInput();
  await workbench.question('namespace of the Flux objects');
  await workbench.acceptInput();
}

/** Opens the questions and answers the first one. */
async function begin(workbench: Workbench, context: string): Promise<void> {
  await workbench.openContainer('GitOps');
  await workbench.runCommand('Plumb: Bootstrap…');
  await workbench.question('Which cluster?');
  await workbench.pickItem(new RegExp(`^${context}`));
}

const questions = [
  'Which cluster?',
  'Git repository',
  'branch to commit to',
  'folder of this cluster',
  'logged in to',
  'namespace of the Flux objects',
];

/** Answers every question as it is proposed. */
async function acceptAll(workbench: Workbench, asked: readonly string[] = questions): Promise<void> {
  for (const question of asked) {
    await workbench.question(question);
    await workbench.acceptInput();
  }
}
