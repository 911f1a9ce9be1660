import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { FileTree } from '../../src/base/fileTree.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import {
  ensureFluxController,
  startFluxController,
  type FluxController,
} from '../../src/clients/sandbox/fluxControllers.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { EngineDependencies } from '../../src/engine/engineCore.ts';
import type { KustomizationSpec } from '../../src/flux/api/kustomize.gen.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { Engine, EngineConfig } from '../../src/protocol/engine.ts';
import { readySourceStatus, startArtifactServer } from '../servers/artifactServer.ts';
import { runGit } from '../servers/gitRepository.ts';
import { fluxCluster, type FluxCluster } from './fluxCluster.ts';
import { untilReconciled } from './reconciled.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

/** A cluster that the real kustomize-controller and engines can share: one source, which both can fetch, and a clone of it. */
export interface SharedFleet {
  readonly flux: FluxCluster;
  readonly namespace: string;
  readonly clone: string;
  /** Writes the files into the clone; what is not committed is only there. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Commits the clone, pushes, and puts the commit into the source's status as source-controller would; gives the revision. */
  publish(): Promise<string>;
  kustomization(name: string, spec?: Partial<KustomizationSpec>): Promise<ObjectRef>;
  /** Resolves when the real controller has ended a run of the Kustomization as its spec now is. */
  untilReady(ref: ObjectRef): Promise<void>;
  engine(config?: Partial<EngineConfig>, given?: Partial<EngineDependencies>): Promise<Engine>;
  startController(flags?: readonly string[]): Promise<FluxController>;
}

/** Call it at the top of a test file; everything ends after its tests. */
export async function sharedFleet(): Promise<SharedFleet> {
  const program = await ensureFluxController('kustomize-controller');
  const engines: Engine[] = [];
  const controllers: FluxController[] = [];
  // Before the sandbox registers its own: hooks run in that order, and what lives on the cluster ends first.
  after(async () => {
    for (const engine of engines) await engine.dispose();
    for (const controller of controllers) await controller.stop();
  });
  const sandbox = await ownSandboxCluster();
  const flux = await fluxCluster(sandbox);
  const artifacts = await startArtifactServer();
  const namespace = await sandbox.freshNamespace('fleet');
  const folder = await mkdtemp(join(tmpdir(), 'plumb-fleet-'));
  const clone = join(folder, 'fleet');
  after(async () => {
    await artifacts.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { url } = await flux.git.createRepository('fleet');
  await runGit(folder, ['clone', '--quiet', url, clone]);
  for (const object of installManifests('flux-system')) await flux.apply(object);
  const source = await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: { url, interval: '1h', ref: { branch: 'main' } },
  });
  return {
    flux,
    namespace,
    clone,
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(clone, path)), { recursive: true });
        await writeFile(join(clone, path), text);
      }
    },
    async publish() {
      await runGit(clone, ['add', '--all']);
      await runGit(clone, ['commit', '--quiet', '--allow-empty', '-m', 'Change the fleet']);
      await runGit(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
      const hash = await runGit(clone, ['rev-parse', 'HEAD']);
      const names = (await runGit(clone, ['ls-files'])).split('\n');
      const files = await Promise.all(
        names.map(async (name) => [name, await runGit(clone, ['show', `HEAD:${name}`])] as const),
      );
      const revision = `main@sha1:${hash}`;
      const path = `gitrepository/${namespace}/fleet/${hash}.tar.gz`;
      const artifact = await artifacts.publish(path, revision, FileTree.from(files));
      const status = readySourceStatus(source, artifact);
      const answer = await flux.client.patch(
        { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'GitRepository', namespace, name: 'fleet' },
        { status },
        { type: 'merge', fieldManager: 'source-controller', subresource: 'status' },
      );
      if (answer.type === 'refused') throw new Error(answer.refusal.message);
      return revision;
    },
    async kustomization(name, spec = {}) {
      const object = kustomizationOf(name, namespace, spec);
      await flux.apply({ ...object, metadata: { name, namespace } });
      return { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespace, name };
    },
    async untilReady(ref) {
      await untilReconciled(sandbox, ref);
    },
    async engine(config = {}, given = {}) {
      const engine = await createEngine(
        {
          folders: [clone],
          kubeconfig: [sandbox.kubeconfig],
          cacheFolder: join(folder, 'cache'),
          schedule: 'onRequest',
          ...config,
        },
        { log: silentLogger, ...given },
      );
      engines.push(engine);
      return engine;
    },
    async startController(flags = []) {
      const controller = await startFluxController({
        name: 'kustomize-controller',
        program,
        kubeconfig: sandbox.kubeconfig,
        flags,
      });
      controllers.push(controller);
      return controller;
    },
  };
}

/** A Kustomization of the fleet's source at the folder of its name; in a file its own namespace is left to the one that applies it. */
export function kustomizationOf(name: string, targetNamespace: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name },
    spec: {
      interval: '1h',
      path: `./${name}`,
      prune: true,
      targetNamespace,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      ...spec,
    },
  } as KubeObject;
}

/** Resolves with what `pick` finds in the engine's events, from now on. */
export function nextEvent<T>(
  engine: Engine,
  pick: (event: Parameters<Parameters<Engine['onEvent']>[0]>[0]) => T | undefined,
): Promise<T> {
  return new Promise((resolve) => {
    const listener = engine.onEvent((event) => {
      const found = pick(event);
      if (found === undefined) return;
      listener.dispose();
      resolve(found);
    });
  });
}
