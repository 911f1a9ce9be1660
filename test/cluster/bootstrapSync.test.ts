import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError, type PlumbError } from '../../src/base/plumbError.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import { bootstrapDefaults, type BootstrapOptions } from '../../src/protocol/bootstrap.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { commitFiles, runGit } from '../servers/gitRepository.ts';
import { startGitSshServer } from '../servers/gitSshServer.ts';
import { writeUserGit } from '../servers/userGit.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

// Local mode reconciles everything of a cluster, and definitions are shared: these tests need one of their own.
const sandbox = await ownSandboxCluster();
const ssh = await startGitSshServer();
const http = await startGitHttpServer();
const home = await mkdtemp(join(tmpdir(), 'plumb-home-'));
await writeUserGit(home, ssh);
process.env['HOME'] = home;

after(async () => {
  await ssh.close();
  await http.close();
  await rm(home, { recursive: true, force: true });
});

async function withEngine<T>(
  work: (engine: Engine) => Promise<T>,
  schedule: 'continuous' | 'onRequest' = 'onRequest',
): Promise<T> {
  const engine = await createEngine(
    {
      folders: [],
      kubeconfig: [sandbox.kubeconfig],
      cacheFolder: join(home, 'cache'),
      schedule,
    },
    { log: silentLogger },
  );
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

function optionsFor(url: string, change: Partial<BootstrapOptions> = {}): BootstrapOptions {
  return { ...bootstrapDefaults, url, path: 'clusters/dev', auth: { type: 'none' }, ...change };
}

async function liveSync(namespace: string): Promise<Readonly<Record<string, unknown>>> {
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${namespace}`;
  return (await sandbox.request('GET', path)).body['status'] as Readonly<Record<string, unknown>>;
}

function failsWith(code: PlumbError['code'], message: RegExp, hint: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isPlumbError(error, code), `${String(error)} is no ${code}`);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  };
}

test('over SSH everything waits for the deploy key, goes on once it is registered, and is done only once', async () => {
  const { url, folder } = await ssh.createRepository('fleet');
  const options = optionsFor(url, { auth: { type: 'deployKey', algorithm: 'ed25519' } });
  await withEngine(async (engine) => {
    const dropped = await engine.planBootstrap(options);
    const plan = await engine.planBootstrap(options);
    const { publicKey = '' } = plan.deployKey ?? {};
    assert.equal(dropped.deployKey?.publicKey, publicKey, 'the key that was shown is the key that counts');
    await assert.rejects(
      engine.bootstrap(plan.id),
      failsWith(
        'ArtifactFailed',
        /^GitRepository\/flux-system\/flux-system: /,
        /add this deploy key.*ssh-ed25519/,
      ),
    );
    assert.equal(await runGit(folder, ['rev-list', '--count', 'main']), '2');

    ssh.allow(publicKey, 'read');
    const second = await engine.planBootstrap(options);
    assert.deepEqual(second.commits, [], 'the next try goes on where the first one stopped');
    assert.equal(second.deployKey?.publicKey, publicKey);
    const { commits, revision, run } = await engine.bootstrap(second.id);
    assert.deepEqual(commits, []);
    assert.equal(revision, `main@sha1:${await runGit(folder, ['rev-parse', 'main'])}`);
    assert.ok(run.ready, run.message);
    const status = await liveSync('flux-system');
    assert.equal(status['lastAppliedRevision'], revision);
    assert.match(JSON.stringify(status['conditions']), /"type":"Ready"[^}]*|"status":"True"/);
  });
  // The key in the cluster is what a later Plumb finds.
  await withEngine(async (engine) => {
    const plan = await engine.planBootstrap(options);
    assert.equal(plan.isUpToDate, true);
    assert.equal(plan.deployKey?.isNew, false);
    const { run } = await engine.bootstrap(plan.id);
    assert.ok(
      run.changeSet.every(({ action }) => action === 'unchanged'),
      JSON.stringify(run.changeSet),
    );
    assert.equal(await runGit(folder, ['rev-list', '--count', 'main']), '2');
  });
});

test('manifests that cannot be applied are named, and the next try succeeds', async () => {
  const { url, folder } = await http.createRepository('broken');
  const path = 'clusters/dev/apps.yaml';
  await commitFiles(folder, {
    files: { [path]: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: Not_A_Name }\n' },
  });
  const options = optionsFor(url, { namespace: 'flux-broken' });
  await withEngine(async (engine) => {
    const plan = await engine.planBootstrap(options);
    await assert.rejects(
      engine.bootstrap(plan.id),
      failsWith(
        'ReconciliationFailed',
        /^Kustomization\/flux-broken\/flux-broken: .*Not_A_Name/,
        /correct the manifests/,
      ),
    );
    await commitFiles(folder, { files: { [path]: null } });
    const again = await engine.planBootstrap(options);
    const { run } = await engine.bootstrap(again.id);
    assert.ok(run.ready, run.message);
  });
});

test('what does not get ready in time is told with what is done already', async () => {
  const { url, folder } = await http.createRepository('slow');
  const namespace = 'flux-slow';
  await commitFiles(folder, {
    files: {
      [`clusters/dev/${namespace}/kustomization.yaml`]: [
        'resources: [gotk-components.yaml, gotk-sync.yaml, never.yaml]',
        'patches:',
        '  - target: { kind: Kustomization }',
        '    patch: \'[{ "op": "add", "path": "/spec/wait", "value": true }]\'',
        '',
      ].join('\n'),
      [`clusters/dev/${namespace}/never.yaml`]: [
        'apiVersion: v1',
        'kind: PersistentVolumeClaim',
        `metadata: { name: never, namespace: ${namespace} }`,
        'spec: { accessModes: [ReadWriteOnce], storageClassName: none, resources: { requests: { storage: 1Gi } } }',
        '',
      ].join('\n'),
    },
  });
  await withEngine(async (engine) => {
    const plan = await engine.planBootstrap(optionsFor(url, { namespace, timeoutMs: 4000 }));
    await assert.rejects(
      engine.bootstrap(plan.id),
      failsWith(
        'HealthCheckFailed',
        /^Kustomization\/flux-slow\/flux-slow: did not apply main@sha1:/,
        /may be run again/,
      ),
    );
  });
});

/** The installations of the tests before contend for the definitions, which say in which namespace the Leases lie. */
async function suspendEverything(): Promise<void> {
  const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations';
  const { body } = await sandbox.request('GET', kustomizations);
  for (const { metadata } of body['items'] as unknown as {
    metadata: { name: string; namespace: string };
  }[]) {
    const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${metadata.namespace}/kustomizations/${metadata.name}`;
    const { body: live } = await sandbox.request('GET', path);
    const { status } = await sandbox.request('PUT', path, {
      ...live,
      spec: { ...(live['spec'] as object), suspend: true },
    });
    assert.equal(status, 200);
  }
}

test('where another Plumb reconciles, it is asked to, and no second namespace is set up beside it', async () => {
  await suspendEverything();
  const { url } = await http.createRepository('shared');
  const options = optionsFor(url, { namespace: 'flux-shared' });
  await withEngine(async (holder) => {
    await holder.bootstrap((await holder.planBootstrap(options)).id);
    assert.equal((await holder.status()).cluster?.mode, 'local');
    await withEngine(async (engine) => {
      await assert.rejects(
        engine.planBootstrap({ ...options, namespace: 'flux-second' }),
        failsWith('ModeForbids', /installation in namespace flux-shared/, /observe mode/),
      );
      const plan = await engine.planBootstrap(options);
      const { run } = await engine.bootstrap(plan.id);
      assert.ok(run.ready, run.message);
      assert.equal((await engine.status()).cluster?.mode, 'observe');
    });
    await assert.rejects(
      holder.planInstall({ namespace: 'flux-second', force: true, timeoutMs: 1000 }),
      failsWith('ModeForbids', /installation in namespace flux-shared/, /observe mode/),
    );
  }, 'continuous');
});

test('a run that is cancelled while it waits says so, and the next one goes on', async () => {
  const { url, folder } = await http.createRepository('cancelled');
  const options = optionsFor(url, { namespace: 'flux-cancelled' });
  await withEngine(async (engine) => {
    const controller = new AbortController();
    const plan = await engine.planBootstrap(options);
    engine.onEvent((event) => {
      if (event.type === 'bootstrapProgress' && event.step === 'reconcile') controller.abort();
    });
    await assert.rejects(
      engine.bootstrap(plan.id, { signal: controller.signal }),
      (error) => isPlumbError(error, 'Cancelled') || (error as Error).name === 'AbortError',
    );
    const again = await engine.planBootstrap(options);
    assert.deepEqual(again.commits, []);
    assert.ok((await engine.bootstrap(again.id)).run.ready);
    assert.equal(await runGit(folder, ['rev-list', '--count', 'main']), '2');
  });
});
