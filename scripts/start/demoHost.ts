// The process that the demo's control plane, Git server and editor belong to: when it ends, they end.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureSandboxPrograms } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { startSandbox } from '../../src/clients/sandbox/startSandbox.ts';
import { startGitHttpServer } from '../../test/servers/gitHttpServer.ts';
import { startCodeServer } from '../editor/codeServer.ts';
import { ensureEditorTools } from '../editor/editorTools.ts';
import { type DemoState, removeDemoState, writeDemoState } from './demoState.ts';
import { createFleet } from './fleetRepository.ts';

const { values } = parseArgs({
  options: { folder: { type: 'string' }, editor: { type: 'boolean', default: false } },
});
const folder = values.folder as string;
const root = resolve(import.meta.dirname, '../..');

const endings: (() => Promise<void> | void)[] = [];
let state: DemoState = { pid: process.pid, phase: 'starting', message: 'starting' };
let ending: Promise<void> | undefined;

const abort = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(0));

try {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  update({});
  const programs = await ensureSandboxPrograms({
    onProgress: (message) => update({ message }),
    signal: abort.signal,
  });
  update({ message: 'starting the control plane' });
  const sandbox = await startSandbox({ programs, signal: abort.signal });
  endings.push(() => sandbox.stop());
  // Where F5 finds it, whichever run of the sandbox it is.
  writeFileSync(join(folder, 'kubeconfig'), readFileSync(sandbox.kubeconfig), { mode: 0o600 });
  update({ message: 'starting the Git server', kubeconfig: sandbox.kubeconfig });
  const repositories = join(folder, 'repositories');
  rmSync(repositories, { recursive: true, force: true });
  const server = await startGitHttpServer({ folder: repositories });
  endings.push(() => server.close());
  const fleet = await createFleet(server, folder);
  update({ phase: 'ready', message: 'ready', repositoryUrl: fleet.url, fleetFolder: fleet.clone });
  if (values.editor) await startEditor(fleet.clone, sandbox.kubeconfig);
} catch (error) {
  update({ phase: 'failed', message: error instanceof Error ? error.message : String(error) });
  await end(1);
}

// Held open until told to stop: the Git server listens.

async function startEditor(workspace: string, kubeconfig: string): Promise<void> {
  try {
    const tools = await ensureEditorTools({ onProgress: (message) => update({ editorMessage: message }) });
    update({ editorMessage: 'starting VS Code' });
    const codeServer = await startCodeServer({
      tools,
      workspace,
      extension: root,
      env: { KUBECONFIG: kubeconfig },
    });
    endings.push(() => codeServer.stop());
    update({ editor: { url: codeServer.url, password: codeServer.password }, editorMessage: 'ready' });
  } catch (error) {
    update({
      editorMessage: `VS Code did not start: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

function update(change: Partial<DemoState>): void {
  state = { ...state, ...change };
  writeDemoState(folder, state);
}

function end(exitCode: number): Promise<void> {
  ending ??= (async () => {
    abort.abort();
    for (const stop of endings.reverse()) await stop();
    rmSync(join(folder, 'repositories'), { recursive: true, force: true });
    rmSync(join(folder, 'fleet'), { recursive: true, force: true });
    rmSync(join(folder, 'kubeconfig'), { force: true });
    if (exitCode === 0) removeDemoState(folder);
    process.exit(exitCode);
  })();
  return ending;
}
