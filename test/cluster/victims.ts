import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { refOf } from '../../src/kube/object.ts';
import { ipcConnection, remoteEngine, type RemoteEngine } from '../../src/protocol/rpc.ts';
import type { FluxCluster } from './fluxCluster.ts';

/** An engine in a process of its own, as an editor starts it, in local mode. */
export interface Victim {
  readonly child: ChildProcess;
  readonly engine: RemoteEngine;
}

/** Engines to be killed, one after the other. */
export interface Victims {
  start(): Promise<Victim>;
  /** Starts the run and kills the engine at a random moment of it, from the build on; tells whether the run was over before. */
  killDuring(
    victim: Victim,
    run: (engine: RemoteEngine) => Promise<unknown>,
    random: () => number,
  ): Promise<boolean>;
  kill(victim: Victim): Promise<void>;
}

/** Call it at the top of a test file: what is left of them ends after its tests. */
export function victimsOn(flux: FluxCluster, cacheFolder: string): Victims {
  const children = new Set<ChildProcess>();
  after(() => children.forEach((child) => child.kill('SIGKILL')));
  /** How long a run may take from its build on; follows what is seen, so that most kills come before the end. */
  let longestMs = 100;

  async function kill({ child }: Victim): Promise<void> {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    children.delete(child);
  }

  return {
    async start() {
      await forgetLeases(flux);
      const child = fork(resolve(import.meta.dirname, '../../src/engineProcess.ts'));
      children.add(child);
      const engine = remoteEngine(ipcConnection(child));
      const kubeconfig = [flux.sandbox.kubeconfig];
      await engine.start({ folders: [], kubeconfig, cacheFolder, schedule: 'onRequest' });
      await engine.setMode('local');
      return { child, engine };
    },
    async killDuring(victim, run, random) {
      const begun = untilBuild(victim.engine);
      let isOver = false;
      let failure: unknown;
      // A killed engine answers no more; nobody waits for that.
      const ended = run(victim.engine).then(
        () => (isOver = true),
        (error: unknown) => {
          failure = error;
        },
      );
      await Promise.race([begun, ended]);
      if (failure !== undefined)
        throw new Error('the run failed before it began to build', { cause: failure });
      await delay(random() * longestMs);
      longestMs = isOver ? longestMs * 0.8 : Math.min(2000, longestMs * 1.1);
      const wasOver = isOver;
      await kill(victim);
      return wasOver;
    },
    kill,
  };
}

/** What a killed engine held of Leases has run out by the time of the next one. */
export async function forgetLeases(flux: FluxCluster): Promise<void> {
  const leases = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };
  const held = await flux.client.list(leases, { namespace: 'flux-system' });
  for (const lease of held.type === 'ok' ? held.value : []) await flux.client.delete(refOf(lease));
}

/** Resolves when the engine begins to build for the Kustomization: what follows is plan, writes and prune. */
function untilBuild(engine: RemoteEngine): Promise<void> {
  return new Promise((done) => {
    const listener = engine.onEvent((event) => {
      if (event.type !== 'stageStarted' || event.stage !== 'BuildFailed') return;
      listener.dispose();
      done();
    });
  });
}
