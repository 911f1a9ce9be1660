// The developer's loop: bundles and types on every save, with the sandbox and the sample fleet kept up.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { demoFolder } from './start/demoState.ts';
import { ensureHost } from './start/hostProcess.ts';

const root = resolve(import.meta.dirname, '..');
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort());

const watchers: ChildProcess[] = [
  spawn(process.execPath, [join(root, 'scripts/build.mjs'), '--watch'], {
    cwd: root,
    stdio: ['pipe', 'inherit', 'inherit'],
  }),
  spawn('tsc', ['-p', '.', '--watch', '--preserveWatchOutput'], { cwd: root, stdio: 'inherit' }),
];

try {
  const demo = await ensureHost(demoFolder(), false, abort.signal);
  process.stdout.write(`\n  export KUBECONFIG=${demo.kubeconfig}\n  the sample fleet: ${demo.fleetFolder}\n`);
  process.stdout.write(
    '  F5 "Extension + sandbox cluster" opens both. Ctrl-C ends the watchers; npm start -- --stop the sandbox.\n\n',
  );
  await once(abort.signal, 'abort');
} catch (error) {
  if (!abort.signal.aborted) {
    process.stderr.write(`✗ ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  for (const watcher of watchers) watcher.kill();
}
