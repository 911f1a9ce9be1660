/**
 * Main of the process that owns a sandbox: it runs the components, and removes them and their folder when it is told to,
 * when its starter goes away before `detach`, or when a component fails. `startSandbox` forks it.
 */
import { rm } from 'node:fs/promises';
import { ComponentSet } from './runComponents.ts';
import type { FromSupervisor, SandboxSpec, ToSupervisor } from './supervisorProtocol.ts';

const attempts = 3;

let isDetached = false;
let isStopping = false;
let components: ComponentSet | undefined;
let folder: string | undefined;

process.on('message', (message) => {
  const order = message as ToSupervisor;
  switch (order.type) {
    case 'run':
      void run(order);
      return;
    case 'detach':
      isDetached = true;
      tell({ type: 'detached' });
  }
});
process.on('disconnect', () => {
  if (!isDetached) void stop(0);
});
process.on('SIGTERM', () => void stop(0));
process.on('SIGINT', () => void stop(0));

async function run(spec: SandboxSpec): Promise<void> {
  folder = spec.folder;
  for (let attempt = 1; ; attempt += 1) {
    components = new ComponentSet(spec);
    try {
      const state = await components.start((message) => tell({ type: 'progress', message }));
      tell({ type: 'ready', state });
      await components.failure;
    } catch (error) {
      if (isStopping) return;
      const message = error instanceof Error ? error.message : String(error);
      // Somebody took the port between our look and the bind.
      if (attempt < attempts && message.includes('address already in use')) {
        await components.kill();
        await rm(spec.folder, { recursive: true, force: true });
        continue;
      }
      tell({ type: 'failed', message });
      await stop(1);
      return;
    }
  }
}

async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await components?.kill();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(exitCode);
}

function tell(message: FromSupervisor): void {
  // A starter that is gone by now needs no answer; the disconnect event decides what follows.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
