import { silentLogger } from '../../src/base/logger.ts';
import { runCli } from '../../src/cli/runCli.ts';
import { styleFor, type Terminal, wantsColors } from '../../src/cli/terminal.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { PlanView } from '../../src/protocol/views.ts';
import { commitAndPush, copyFixture, removeWorker } from './fleetRepository.ts';
import type { ReadyDemo } from './hostProcess.ts';
import { heading, note, typed } from './telling.ts';

const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const reports: ObjectRef = {
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  namespace: 'jobs',
  name: 'reports',
};
const wantedReplicas = 3;

/** Plays Plumb's main job step by step and checks after each that it really held. Throws at the first that did not. */
export async function actOut(demo: ReadyDemo, signal: AbortSignal): Promise<void> {
  const cluster = await createClusterClient({ kubeconfig: { paths: [demo.kubeconfig] }, log: silentLogger });
  const stage: Stage = { demo, signal, cluster };
  try {
    await bootstrap(stage);
    await reconcileAll(stage);
    await driftAndRevert(stage);
    await removeAndPrune(stage);
    await leaveDrift(stage);
  } finally {
    cluster.close();
  }
}

interface Stage {
  readonly demo: ReadyDemo;
  readonly signal: AbortSignal;
  readonly cluster: ClusterClient;
}

async function bootstrap(stage: Stage): Promise<void> {
  heading('Bootstrap: install the Flux API and tie the cluster to the repository');
  copyFixture(stage.demo.fleetFolder);
  await commitAndPush(stage.demo.fleetFolder, 'Put the sample fleet back');
  await plumb(stage, 0, [
    'bootstrap',
    'git',
    '--url',
    stage.demo.repositoryUrl,
    '--branch',
    'main',
    '--path',
    'clusters/dev',
    '--yes',
  ]);
  await commitAndPull(stage);
}

async function reconcileAll(stage: Stage): Promise<void> {
  heading('Reconcile: what Git says becomes what runs');
  await plumb(stage, 0, ['watch', '--local', '--until-ready']);
  await plumb(stage, 0, ['get']);
  await expectReplicas(stage, wantedReplicas);
}

async function driftAndRevert(stage: Stage): Promise<void> {
  heading('Drift: somebody scales a Deployment by hand');
  await scaleByHand(stage, 5);
  await plumb(stage, 1, ['diff', 'kustomization', 'apps']);
  const plan = JSON.parse(
    await plumbQuietly(stage, 1, ['diff', 'kustomization', 'apps', '-o', 'json']),
  ) as PlanView;
  const field = plan.changes
    .flatMap(({ fields }) => fields)
    .find(({ pointer }) => pointer === '/spec/replicas');
  require(field?.live === 5 && field.desired === wantedReplicas, 'the diff names replicas 5 → 3');
  require(field?.cause === 'drifted', 'the diff says that the cluster drifted');
  require(field?.owners.some(({ manager }) => manager === 'kubectl') ===
    true, 'the diff names kubectl as who set it');
  require(field?.location?.path === 'apps/dev/web.yaml', 'the diff names the line that set it');
  heading('Revert: the cluster becomes true to Git again');
  await plumb(stage, 0, ['reconcile', 'kustomization', 'apps', '--local']);
  await expectReplicas(stage, wantedReplicas);
  await plumb(stage, 0, ['diff', 'kustomization', 'apps']);
}

async function removeAndPrune(stage: Stage): Promise<void> {
  heading('Prune: the reports job leaves Git');
  removeWorker(stage.demo.fleetFolder);
  await plumb(stage, 1, ['prune', 'kustomization', 'apps', '--preview']);
  require((await live(stage, reports)) !== undefined, 'the preview deleted nothing');
  await commitAndPush(stage.demo.fleetFolder, 'Retire the reports job');
  await plumb(stage, 0, ['reconcile', 'gitrepo', 'flux-system', '--local']);
  await plumb(stage, 0, ['prune', 'kustomization', 'apps', '--from', 'source', '--yes']);
  require((await live(stage, reports)) === undefined, 'the prune deleted the job');
  // apps waits for infra to be at the new revision.
  await plumb(stage, 0, ['reconcile', 'kustomization', 'infra', '--local']);
  await plumb(stage, 0, ['reconcile', 'kustomization', 'apps', '--local']);
}

async function leaveDrift(stage: Stage): Promise<void> {
  heading('A fresh drift, left for you to look at');
  await scaleByHand(stage, 4);
  await plumb(stage, 1, ['diff', 'kustomization', 'apps']);
}

/** What `kubectl scale` sends: a patch of the scale subresource under kubectl's name. */
async function scaleByHand({ cluster, signal }: Stage, replicas: number): Promise<void> {
  note(`kubectl -n shop scale deployment web --replicas=${replicas}`);
  const answer = await cluster.patch(
    web,
    { spec: { replicas } },
    { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
    signal,
  );
  require(answer.type === 'ok', `the Deployment was scaled to ${replicas}`);
}

async function expectReplicas(stage: Stage, expected: number): Promise<void> {
  const object = await live(stage, web);
  const replicas = (object?.['spec'] as { replicas?: number } | undefined)?.replicas;
  require(replicas ===
    expected, `Deployment/shop/web has ${expected} replicas (it has ${replicas ?? 'none'})`);
}

async function live({ cluster, signal }: Stage, ref: ObjectRef): Promise<KubeObject | undefined> {
  const answer = await cluster.get(ref, signal);
  return answer.type === 'ok' && answer.value.metadata.deletionTimestamp === undefined
    ? answer.value
    : undefined;
}

/** Bootstrap pushed commits of its own: the working folder takes them in. */
async function commitAndPull({ demo }: Stage): Promise<void> {
  const { runGit } = await import('../../test/servers/gitRepository.ts');
  await runGit(demo.fleetFolder, ['pull', '--quiet', '--rebase', 'origin', 'main']);
}

async function plumb(stage: Stage, expectedExit: number, words: readonly string[]): Promise<void> {
  typed(words);
  await runPlumb(stage, expectedExit, words, (text) => void process.stdout.write(text));
}

async function plumbQuietly(stage: Stage, expectedExit: number, words: readonly string[]): Promise<string> {
  let output = '';
  await runPlumb(stage, expectedExit, words, (text) => (output += text));
  return output;
}

async function runPlumb(
  { demo, signal }: Stage,
  expectedExit: number,
  words: readonly string[],
  out: (text: string) => void,
): Promise<void> {
  signal.throwIfAborted();
  let errors = '';
  const terminal = (noColor: boolean): Terminal => ({
    out,
    err: (text) => void (errors += text),
    isInteractive: false,
    columns: process.stdout.columns ?? 120,
    style: styleFor(wantsColors(process.stdout.isTTY === true, process.env, noColor)),
  });
  const exitCode = await runCli({
    argv: words,
    signal,
    env: { ...process.env, KUBECONFIG: demo.kubeconfig },
    cwd: demo.fleetFolder,
    terminal,
  });
  if (exitCode === expectedExit) return;
  process.stdout.write(errors);
  throw new Error(`plumb ${words.join(' ')} exited with ${exitCode}, expected ${expectedExit}`);
}

function require(held: boolean, what: string): void {
  if (!held) throw new Error(`this did not hold: ${what}`);
  note(`✔ ${what}`);
}
