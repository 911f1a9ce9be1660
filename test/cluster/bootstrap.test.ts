import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError, type PlumbError } from '../../src/base/plumbError.ts';
import { Secret } from '../../src/base/secret.ts';
import { applyStaged, summarizeStaged } from '../../src/bootstrap/applyStaged.ts';
import type { BootstrapRequest } from '../../src/bootstrap/bootstrapTarget.ts';
import { type BootstrapDraft, planBootstrap } from '../../src/bootstrap/planBootstrap.ts';
import { type CheckFinding, checkInstallation } from '../../src/bootstrap/checkInstallation.ts';
import { applyInstall, planInstall } from '../../src/bootstrap/planInstall.ts';
import { planUninstall } from '../../src/bootstrap/planUninstall.ts';
import type { BootstrapContext } from '../../src/bootstrap/repository.ts';
import { type BootstrapOutcome, runBootstrap } from '../../src/bootstrap/runBootstrap.ts';
import { uninstall } from '../../src/bootstrap/uninstall.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { createGitClient } from '../../src/clients/git/gitClient.ts';
import { generateSshKey } from '../../src/clients/git/sshKey.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { formatRef, type KubeObject, refOf } from '../../src/kube/object.ts';
import { waitUntilGone } from '../../src/ssa/waitUntilGone.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { commitFiles, runGit } from '../servers/gitRepository.ts';
import { startGitSshServer } from '../servers/gitSshServer.ts';
import { sandboxCluster } from './sandboxCluster.ts';

// Definitions and cluster roles are shared by everybody on a cluster: these tests need one of their own.
delete process.env['PLUMB_SANDBOX_KUBECONFIG'];
const sandbox = await sandboxCluster();
const scratch = await mkdtemp(join(tmpdir(), 'plumb-bootstrap-'));
const git = createGitClient({ cacheFolder: scratch });
const http = await startGitHttpServer();
const ssh = await startGitSshServer();
const administrator = await contextOf(sandbox.kubeconfig);

after(async () => {
  administrator.cluster.close();
  await git.close();
  await http.close();
  await ssh.close();
  await rm(scratch, { recursive: true, force: true });
});

async function contextOf(kubeconfig: string): Promise<BootstrapContext> {
  return {
    cluster: await createClusterClient({ kubeconfig: { paths: [kubeconfig] }, log: silentLogger }),
    clock: systemClock,
    log: silentLogger,
    signal: new AbortController().signal,
    git,
  };
}

let count = 0;

/** A request for a repository and a namespace of its own. */
async function freshRequest(
  change: Partial<BootstrapRequest> = {},
): Promise<{ readonly request: BootstrapRequest; readonly repository: string }> {
  const name = `flux-${++count}`;
  const { folder, url } = await http.createRepository(name);
  const request: BootstrapRequest = {
    url,
    branch: 'main',
    path: 'clusters/dev',
    namespace: name,
    secretName: name,
    interval: '1m0s',
    authorName: 'Flux',
    authorEmail: '',
    recurseSubmodules: false,
    allowInsecureHttp: false,
    force: false,
    auth: { type: 'none' },
    ...change,
  };
  return { request, repository: folder };
}

interface Run {
  readonly draft: BootstrapDraft;
  readonly outcome: BootstrapOutcome;
  readonly steps: readonly string[];
}

async function bootstrap(request: BootstrapRequest, ctx = administrator): Promise<Run> {
  const steps: string[] = [];
  const draft = await planBootstrap(ctx, request);
  const outcome = await runBootstrap(ctx, draft, (step, state) => {
    if (state !== 'started') steps.push(`${step} ${state}`);
  });
  return { draft, outcome, steps };
}

async function subjectsOf(repository: string): Promise<readonly string[]> {
  return (await runGit(repository, ['log', '--reverse', '--format=%an: %s', 'main'])).split('\n');
}

async function secretKeys(namespace: string): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await sandbox.request(
    'GET',
    `/api/v1/namespaces/${namespace}/secrets/${namespace}`,
  );
  if (status === 404) return {};
  const data = Object.entries((body['data'] ?? {}) as Record<string, string>);
  return Object.fromEntries(
    data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  ) as Record<string, string>;
}

async function statusOf(path: string): Promise<number> {
  return (await sandbox.request('GET', path)).status;
}

function failsWith(code: PlumbError['code'], message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isPlumbError(error, code), `${String(error)} is no ${code}`);
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined && error.hint !== '', 'an error says what can be done');
    return true;
  };
}

test('an empty repository and an empty cluster are set up, and a second run finds everything done', async () => {
  const { request, repository } = await freshRequest();
  const { namespace } = request;
  const first = await bootstrap(request);
  assert.deepEqual(first.steps, [
    'components done',
    'install done',
    'secret skipped',
    'manifests done',
    'sync done',
  ]);
  assert.deepEqual(await subjectsOf(repository), [
    'Flux: Add Flux v2.9.5 component manifests',
    'Flux: Add Flux sync manifests',
  ]);
  assert.equal(await runGit(repository, ['rev-parse', 'main']), first.outcome.head);
  const files = await runGit(repository, ['ls-tree', '-r', '--name-only', 'main']);
  assert.deepEqual(
    files.split('\n'),
    ['gotk-components.yaml', 'gotk-sync.yaml', 'kustomization.yaml'].map(
      (name) => `clusters/dev/${namespace}/${name}`,
    ),
  );
  const kustomization = await sandbox.request(
    'GET',
    `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${namespace}`,
  );
  assert.deepEqual(kustomization.body['spec'], {
    force: false,
    interval: '10m0s',
    path: './clusters/dev',
    prune: true,
    sourceRef: { kind: 'GitRepository', name: namespace },
  });
  const { managedFields } = kustomization.body['metadata'] as { managedFields: { manager: string }[] };
  assert.deepEqual(
    managedFields.map(({ manager }) => manager),
    ['flux'],
  );

  const second = await bootstrap(request);
  assert.deepEqual(second.outcome, { commits: [], head: first.outcome.head });
  assert.equal(summarizeStaged([...second.draft.install, ...second.draft.sync]), '30 unchanged');
  const again = await sandbox.request(
    'GET',
    `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${namespace}`,
  );
  assert.deepEqual(again.body['metadata'], kustomization.body['metadata']);
});

test('commits on top of a branch that has files, and keeps a kustomization that is there', async () => {
  const { request, repository } = await freshRequest();
  const own = 'resources: [gotk-components.yaml, gotk-sync.yaml]\n';
  const path = `clusters/dev/${request.namespace}/kustomization.yaml`;
  await commitFiles(repository, { files: { 'README.md': '# Fleet\n', [path]: own } });
  await bootstrap(request);
  assert.equal(`${await runGit(repository, ['show', `main:${path}`])}\n`, own);
  assert.equal(await runGit(repository, ['rev-list', '--count', 'main']), '3');
});

test('patches in a kustomization that is there count from the first apply on, wherever they lie', async () => {
  const { request, repository } = await freshRequest();
  const { namespace } = request;
  const patch =
    'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: any\n  labels:\n    team: platform\n';
  await commitFiles(repository, {
    files: {
      'shared/label.yaml': patch,
      [`clusters/dev/${namespace}/kustomization.yaml`]: [
        'resources: [gotk-components.yaml, gotk-sync.yaml, settings.yaml]',
        'patches:',
        '  - { path: ../../../shared/label.yaml, target: { kind: ServiceAccount } }',
        '  - target: { kind: Kustomization }',
        '    patch: \'[{ "op": "replace", "path": "/spec/interval", "value": "7m" }]\'',
        '',
      ].join('\n'),
      [`clusters/dev/${namespace}/settings.yaml`]: [
        'apiVersion: v1',
        'kind: ConfigMap',
        `metadata: { name: settings, namespace: ${namespace} }`,
        '',
      ].join('\n'),
    },
  });
  await bootstrap(request);
  const place = `namespaces/${namespace}`;
  const read = async (path: string): Promise<string> =>
    JSON.stringify((await sandbox.request('GET', path)).body);
  const sync = `/apis/kustomize.toolkit.fluxcd.io/v1/${place}/kustomizations/${namespace}`;
  assert.match(await read(`/api/v1/${place}/serviceaccounts/kustomize-controller`), /"team":"platform"/);
  assert.match(await read(sync), /"interval":"7m"/);
  assert.equal(await statusOf(`/api/v1/${place}/configmaps/settings`), 200);
  const again = await bootstrap(request);
  assert.deepEqual(again.outcome.commits, []);
  assert.ok([...again.draft.install, ...again.draft.sync].every(({ action }) => action === 'unchanged'));
});

test('a kustomization that cannot be built is named with file and line before anything is written', async () => {
  const { request, repository } = await freshRequest();
  const path = `clusters/dev/${request.namespace}/kustomization.yaml`;
  await commitFiles(repository, { files: { [path]: 'resources:\n  - gotk-sync.yaml\n  - missing.yaml\n' } });
  await assert.rejects(bootstrap(request), failsWith('BuildFailed', /kustomization\.yaml:3:.*missing\.yaml/));
  assert.equal(await runGit(repository, ['rev-list', '--count', 'main']), '1');
  assert.equal(await statusOf(`/api/v1/namespaces/${request.namespace}`), 404);
  await commitFiles(repository, { files: { [path]: 'resources: [gotk-components.yaml, gotk-sync.yaml]\n' } });
  const { steps } = await bootstrap(request);
  assert.equal(steps.at(-1), 'sync done');
});

test('a branch that does not exist beside others is an error that names them', async () => {
  const { request, repository } = await freshRequest({ branch: 'production' });
  await commitFiles(repository, { files: { 'README.md': '# Fleet\n' } });
  await assert.rejects(bootstrap(request), failsWith('NotFound', /branch production does not exist/));
});

test('another path than the one the cluster is synced from is refused before anything is written', async () => {
  const { request, repository } = await freshRequest();
  await bootstrap(request);
  await assert.rejects(
    bootstrap({ ...request, path: 'clusters/prod' }),
    failsWith('ModeForbids', /"\.\/clusters\/prod"\) would overwrite path \("\.\/clusters\/dev"/),
  );
  await bootstrap({ ...request, path: '/clusters/dev/' });
  assert.equal(await runGit(repository, ['rev-list', '--count', 'main']), '2');
});

test('with user and password the Secret follows the password, and a wrong one writes nothing', async () => {
  const password = new Secret('pässword:1');
  const server = await startGitHttpServer({ credentials: { username: 'me', password: password.reveal() } });
  try {
    const { url } = await server.createRepository('fleet');
    const auth = { type: 'password', username: 'me', password } as const;
    const { request } = await freshRequest({ url, auth });
    const { namespace } = request;
    const wrong = { ...auth, password: new Secret('wr0ng') };
    await assert.rejects(
      bootstrap({ ...request, auth: wrong }),
      failsWith('AuthenticationFailed', /^http:\/\/127\.0\.0\.1:\d+\/fleet\.git: (?!.*wr0ng)/),
    );
    assert.equal(await statusOf(`/api/v1/namespaces/${namespace}`), 404);
    await bootstrap(request);
    assert.deepEqual(await secretKeys(namespace), { username: 'me', password: 'pässword:1' });
    const second = await bootstrap(request);
    assert.equal(second.draft.secret?.action, 'unchanged');
  } finally {
    await server.close();
  }
});

test('a changed bearer token is noticed, and keys of another login are removed', async () => {
  const { request } = await freshRequest({
    auth: { type: 'password', username: 'me', password: new Secret('x') },
  });
  await bootstrap(request);
  for (const token of ['one', 'two']) {
    await bootstrap({ ...request, auth: { type: 'bearer', token: new Secret(token) } });
    assert.deepEqual(await secretKeys(request.namespace), { bearerToken: token });
  }
});

test('over SSH a private key pushes and goes to the cluster, with the host keys scanned', async () => {
  const pair = await generateSshKey('ecdsa');
  ssh.allow(pair.publicKey, 'write');
  const { url, folder } = await ssh.createRepository('fleet');
  const { request } = await freshRequest({ url, auth: { type: 'privateKey', identity: pair.identity } });
  const { draft } = await bootstrap(request);
  assert.equal(draft.secret?.hostKeys.length, 1);
  assert.deepEqual(await secretKeys(request.namespace), {
    identity: pair.identity.reveal(),
    'identity.pub': `${pair.publicKey}\n`,
    known_hosts: `${ssh.knownHosts}\n`,
  });
  assert.equal(await runGit(folder, ['rev-list', '--count', 'main']), '2');
  const second = await bootstrap(request);
  assert.deepEqual(second.outcome.commits, []);
  assert.deepEqual(second.draft.secret?.hostKeys, []);
});

test("a deploy key is made for the cluster while the user's own git pushes, and is kept by later runs", async () => {
  const user = await generateSshKey('ecdsa');
  ssh.allow(user.publicKey, 'write');
  const { url, folder } = await ssh.createRepository('deploy');
  await writeFile(join(scratch, 'user'), user.identity.reveal(), { mode: 0o600 });
  await writeFile(join(scratch, 'known_hosts'), `${ssh.knownHosts}\n`);
  const command = `ssh -F /dev/null -i ${join(scratch, 'user')} -o IdentitiesOnly=yes -o UserKnownHostsFile=${join(scratch, 'known_hosts')}`;
  await writeFile(join(scratch, '.gitconfig'), `[core]\n\tsshCommand = ${command}\n`);
  const home = process.env['HOME'];
  process.env['HOME'] = scratch;
  try {
    const { request } = await freshRequest({
      url,
      auth: { type: 'deployKey', pair: await generateSshKey('ed25519') },
    });
    const first = await bootstrap(request);
    const { deployKey } = first.draft.secret ?? {};
    assert.equal(deployKey?.isNew, true);
    assert.equal(deployKey.algorithm, 'ssh-ed25519');
    assert.equal(await runGit(folder, ['rev-list', '--count', 'main']), '2');
    const kept = await secretKeys(request.namespace);
    assert.equal(kept['identity.pub'], `${deployKey.publicKey}\n`);
    const second = await bootstrap({
      ...request,
      auth: { type: 'deployKey', pair: await generateSshKey('ed25519') },
    });
    assert.equal(second.draft.secret?.action, 'unchanged');
    assert.deepEqual(second.draft.secret.deployKey, { ...deployKey, isNew: false });
    assert.deepEqual(await secretKeys(request.namespace), kept);
  } finally {
    process.env['HOME'] = home;
  }
});

test('a push that a hook rejects tells its words and leaves the cluster alone; the next try succeeds', async () => {
  const { request, repository } = await freshRequest();
  const hook = join(repository, 'hooks', 'pre-receive');
  await writeFile(hook, '#!/bin/sh\necho "main is protected by policy 7" >&2\nexit 1\n');
  await chmod(hook, 0o755);
  await assert.rejects(bootstrap(request), failsWith('GitOperationFailed', /protected by policy 7/));
  assert.equal(await statusOf(`/api/v1/namespaces/${request.namespace}`), 404);
  await rm(hook);
  const { steps } = await bootstrap(request);
  assert.equal(steps.at(-1), 'sync done');
});

test('somebody else pushing between plan and run is no obstacle, unless to the same files', async () => {
  const { request, repository } = await freshRequest();
  const draft = await planBootstrap(administrator, request);
  await commitFiles(repository, { files: { 'apps/web.yaml': 'kind: X\n' } });
  const { commits } = await runBootstrap(administrator, draft, () => undefined);
  assert.equal(commits.length, 2);

  const other = await freshRequest();
  const planned = await planBootstrap(administrator, other.request);
  const path = `clusters/dev/${other.request.namespace}/gotk-sync.yaml`;
  await commitFiles(other.repository, {
    files: { [path]: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n' },
  });
  await assert.rejects(
    runBootstrap(administrator, planned, () => undefined),
    failsWith('PlanOutdated', /changed since the bootstrap was planned/),
  );
  assert.equal(await runGit(other.repository, ['rev-list', '--count', 'main']), '1');
});

test('a push that comes second is made again on top of the first', async () => {
  const { request, repository } = await freshRequest();
  const draft = await planBootstrap(administrator, request);
  let pushed: Promise<unknown> | undefined;
  const racing: BootstrapContext = {
    ...administrator,
    git: {
      ...git,
      async pushCommit(remote, commit, signal) {
        // Once, after everything was read: what another clone does in the same second.
        pushed ??= commitFiles(repository, { files: { 'race.yaml': 'x: 1\n' } });
        await pushed;
        return git.pushCommit(remote, commit, signal);
      },
    },
  };
  const { head } = await runBootstrap(racing, draft, () => undefined);
  const history = await runGit(repository, ['log', '--reverse', '--format=%s', 'main']);
  assert.match(history, /^Change files\nAdd Flux .*\nAdd Flux sync manifests$/);
  assert.equal(await runGit(repository, ['rev-parse', 'main']), head);
});

for (const step of ['components', 'install', 'secret', 'manifests']) {
  test(`Ctrl-C after ${step} leaves nothing half-done: the same command goes on and finishes`, async () => {
    const { request, repository } = await freshRequest({
      auth: { type: 'password', username: 'me', password: new Secret('x') },
    });
    const abort = new AbortController();
    const ctx = { ...administrator, signal: abort.signal };
    const draft = await planBootstrap(ctx, request);
    await assert.rejects(
      runBootstrap(ctx, draft, (name, state) => {
        if (name === step && state !== 'started') abort.abort();
      }),
      { name: 'AbortError' },
    );
    const { outcome } = await bootstrap(request);
    assert.deepEqual(await subjectsOf(repository), [
      'Flux: Add Flux v2.9.5 component manifests',
      'Flux: Add Flux sync manifests',
    ]);
    assert.equal(await runGit(repository, ['rev-parse', 'main']), outcome.head);
  });
}

test('Ctrl-C in the middle of the installation is finished by the next run', async () => {
  const { request } = await freshRequest();
  const abort = new AbortController();
  let applied = 0;
  const ctx: BootstrapContext = {
    ...administrator,
    signal: abort.signal,
    log: { ...silentLogger, info: () => void (++applied === 3 && abort.abort()) },
  };
  const draft = await planBootstrap(ctx, request);
  await assert.rejects(runBootstrap(ctx, draft, () => undefined));
  assert.ok(applied >= 3 && applied < 28, `${applied} were applied`);
  const { steps } = await bootstrap(request);
  assert.equal(steps.at(-1), 'sync done');
});

test('a user who may only view learns which right is missing, and nothing is written', async () => {
  const { request, repository } = await freshRequest();
  const namespace = await sandbox.freshNamespace('team');
  const user = { userName: 'viewer', namespace, clusterRole: 'view' };
  const ctx = await contextOf(await sandbox.userKubeconfig(user));
  try {
    const denied = failsWith('AccessDenied', /CustomResourceDefinition\/.*Forbidden.*viewer/);
    await assert.rejects(bootstrap(request, ctx), denied);
    await assert.rejects(planInstall(ctx, namespace, false), denied);
    assert.equal(await runGit(repository, ['for-each-ref']), '');
  } finally {
    ctx.cluster.close();
  }
});

test('a dead cluster is named before the repository is touched', async () => {
  const { request, repository } = await freshRequest();
  const dead = join(scratch, 'dead.kubeconfig');
  await writeFile(
    dead,
    JSON.stringify({
      'current-context': 'dead',
      contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'dead' } }],
      clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'dead', user: { token: 'x' } }],
    }),
  );
  const ctx = await contextOf(dead);
  await assert.rejects(bootstrap(request, ctx), failsWith('ClusterUnreachable', /127\.0\.0\.1:1/));
  assert.equal(await runGit(repository, ['for-each-ref']), '');
  ctx.cluster.close();
});

test('an installation of another tool is left alone unless forced, and so is one that comes from Git', async () => {
  const path =
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gitrepositories.source.toolkit.fluxcd.io';
  const { request } = await freshRequest();
  const label = async (labels: Record<string, string | null>): Promise<void> => {
    const ref = {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      kind: 'CustomResourceDefinition',
      name: path.split('/').at(-1) ?? '',
    };
    const patch = { metadata: { labels } } as JsonObject;
    const answer = await administrator.cluster.patch(ref, patch, { type: 'merge', fieldManager: 'test' });
    assert.equal(answer.type, 'ok');
  };
  await applyInstall(administrator, request.namespace);
  await label({ 'app.kubernetes.io/managed-by': 'Helm' });
  await assert.rejects(bootstrap(request), failsWith('ModeForbids', /managed by Helm/));
  await assert.rejects(
    planInstall(administrator, request.namespace, false),
    failsWith('ModeForbids', /managed by Helm/),
  );
  await bootstrap({ ...request, force: true });
  await label({
    'app.kubernetes.io/managed-by': null,
    'kustomize.toolkit.fluxcd.io/name': 'fleet',
    'kustomize.toolkit.fluxcd.io/namespace': 'gitops',
  });
  await assert.rejects(
    planInstall(administrator, request.namespace, false),
    failsWith('ModeForbids', /^Kustomization\/gitops\/fleet: this cluster has already been bootstrapped/),
  );
  await label({ 'kustomize.toolkit.fluxcd.io/name': null, 'kustomize.toolkit.fluxcd.io/namespace': null });
});

test('an object the server refuses is named with its words', async () => {
  const broken = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'Not Allowed', namespace: 'default' },
  };
  await assert.rejects(
    applyStaged(administrator, [broken]),
    failsWith('ReconciliationFailed', /^ServiceAccount\/default\/Not Allowed: dry-run refused \(Invalid\)/),
  );
});

test('what kubectl set stays kubectl’s, as after upstream’s command line', async () => {
  const settings: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'blue' },
  };
  const apply = async (object: KubeObject) => summarizeStaged(await applyStaged(administrator, [object]));
  assert.equal(await apply(settings), '1 created');
  const byHand = { type: 'merge', fieldManager: 'kubectl-edit' } as const;
  await administrator.cluster.patch(refOf(settings), { data: { extra: 'by hand' } }, byHand);
  assert.equal(await apply(settings), '1 unchanged');
  assert.equal(await apply({ ...settings, data: { color: 'red' } }), '1 configured');
  const live = await administrator.cluster.get(refOf(settings));
  assert.ok(live.type === 'ok');
  assert.deepEqual(live.value['data'], { color: 'red', extra: 'by hand' });
});

/** What a cluster with Flux 2.9 has and this one has not: a controller's Deployment; kwok leaves its pods alone. */
function controllerDeployment(namespace: string): KubeObject {
  const labels = { app: 'source-controller', 'app.kubernetes.io/part-of': 'flux' };
  const container = { name: 'manager', image: 'ghcr.io/fluxcd/source-controller:v1.9.5' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'source-controller', namespace, labels },
    spec: {
      selector: { matchLabels: { app: 'source-controller' } },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

async function create(object: KubeObject): Promise<void> {
  const answer = await administrator.cluster.create(object, { fieldManager: 'test' });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

function findings(items: readonly CheckFinding[]): readonly string[] {
  return items.filter(({ state }) => state !== 'passed').map(({ state, message }) => `${state}: ${message}`);
}

test('check finds a local installation in order, a controller that is not ready, and what a viewer cannot see', async () => {
  const { request } = await freshRequest();
  const { namespace } = request;
  await applyInstall(administrator, namespace);
  assert.deepEqual(findings(await checkInstallation(administrator, namespace)), []);
  await create(controllerDeployment(namespace));
  const [finding] = findings(await checkInstallation(administrator, namespace));
  assert.match(
    finding ?? '',
    /^failed: Deployment\/flux-\d+\/source-controller \(ghcr\.io\/fluxcd\/source-controller:v1\.9\.5\): /,
  );
  await assert.rejects(
    planInstall(administrator, namespace, false),
    failsWith('ModeForbids', /Flux is installed already \(source-controller\)/),
  );
  const { commits, installObjects } = await planBootstrap(administrator, request);
  assert.deepEqual([commits.components, installObjects], [undefined, []]);
  const user = { userName: 'checker', namespace, clusterRole: 'view' };
  const ctx = await contextOf(await sandbox.userKubeconfig(user));
  assert.deepEqual(
    findings(await checkInstallation(ctx, namespace)).map((text) => text.split(':').slice(0, 2).join(':')),
    [`warning: rights for local mode in ${namespace}`, 'warning: cannot be read'],
  );
  ctx.cluster.close();
});

test('uninstall shows what goes and what stays, and takes exactly that', async () => {
  const { namespace } = (await freshRequest()).request;
  await assert.rejects(
    planUninstall(administrator, namespace, false),
    failsWith('ModeForbids', /Flux is also installed in namespace flux-\d+/),
  );
  await sandbox.request('DELETE', `/api/v1/namespaces/flux-${count - 1}`);
  const other = controllerDeployment(`flux-${count - 1}`);
  await waitUntilGone(administrator, [refOf(other)], 120_000);

  await applyInstall(administrator, namespace);
  await create(controllerDeployment(namespace));
  await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'workload', namespace: 'default' } });
  await create({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'default', finalizers: ['finalizers.fluxcd.io'] },
    spec: { interval: '1m', path: './', prune: true, sourceRef: { kind: 'GitRepository', name: 'x' } },
  });
  const apps = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' };
  const inventory = {
    entries: [
      { id: 'default_workload__ConfigMap', v: 'v1' },
      // Goes with its namespace, and is no workload that stays.
      { id: `${namespace}_source-controller__ServiceAccount`, v: 'v1' },
      { id: `_${namespace}__Namespace`, v: 'v1' },
    ],
  };
  await administrator.cluster.patch(
    { ...apps, namespace: 'default' },
    { status: { inventory } },
    { type: 'merge', fieldManager: 'test', subresource: 'status' },
  );

  const outdated = await planUninstall(administrator, namespace, false);
  const config = { name: 'late', namespace: 'default' };
  await create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: config,
    spec: { interval: '1m', url: http.url },
  });
  await assert.rejects(
    uninstall(administrator, outdated),
    failsWith('PlanOutdated', /^GitRepository\/default\/late: came into the cluster/),
  );
  assert.equal(
    await statusOf('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations/apps'),
    200,
  );

  const draft = await planUninstall(administrator, namespace, false);
  const kinds = draft.deletions.map(({ kind }) => kind);
  assert.deepEqual(
    [...new Set(kinds)],
    [
      'Deployment',
      'ServiceAccount',
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
      'Namespace',
    ],
  );
  assert.deepEqual(
    draft.orphans.map(({ owner, objects }) => `${formatRef(owner)} ${objects}`),
    ['Kustomization/default/apps 1'],
  );
  const { deleted, failures } = await uninstall(administrator, draft);
  assert.deepEqual([failures, deleted.length], [[], draft.deletions.length]);
  assert.equal(await statusOf('/api/v1/namespaces/default/configmaps/workload'), 200);
  await waitUntilGone(
    administrator,
    draft.deletions.filter(({ kind }) => kind === 'CustomResourceDefinition'),
    120_000,
  );
  const check = await checkInstallation(administrator, namespace);
  assert.deepEqual(findings(check), [
    'failed: Flux is not installed: the definition of GitRepository is missing',
  ]);
});
