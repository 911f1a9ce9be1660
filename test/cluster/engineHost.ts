/**
 * A stand-in for the extension host that the test kills: forks the engine, enters local mode, starts a run of the object and
 * prints the engine's process id. Arguments: config as JSON, object as JSON.
 */
import { fork } from 'node:child_process';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectRef } from '../../src/kube/object.ts';
import type { EngineConfig } from '../../src/protocol/engine.ts';
import { ipcConnection, remoteEngine } from '../../src/protocol/rpc.ts';

const [config = '', object = ''] = process.argv.slice(2);
const child = fork(join(import.meta.dirname, '../../src/engineProcess.ts'), [], {
  // Standard streams of its own: whoever reads this process's output must not wait for the engine's.
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  serialization: 'advanced',
});
const engine = remoteEngine(ipcConnection(child));
await engine.start(JSON.parse(config) as EngineConfig);
engine.onEvent((event) => {
  if (event.type === 'stageStarted' && event.stage === 'HealthCheckFailed') writeSync(1, `${child.pid}\n`);
});
await engine.setMode('local');
await engine.reconcile(JSON.parse(object) as ObjectRef, false);
