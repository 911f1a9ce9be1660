import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type PlumbError, plumbError } from '../../base/plumbError.ts';
import type { Programs } from './components.ts';
import { isRunning } from './fileLock.ts';
import { checkoutFolder } from './places.ts';
import { writePrivate } from './sandboxFolder.ts';
import type { FromSupervisor, SandboxSpec, SandboxState, ToSupervisor } from './supervisorProtocol.ts';

export interface SandboxOptions {
  /** What to run, from `ensureSandboxPrograms`. */
  readonly programs: Programs;
  /** Fake nodes, one when absent. */
  readonly nodes?: number;
  /** A Kubernetes minor up to three before the sandbox's own, as `1.33`: its API and its features instead. */
  readonly emulate?: string;
  /** For the API server, beside its own. */
  readonly apiserverFlags?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

/** A running control plane that belongs to this process: it ends, folder and all, when this process does. */
export interface Sandbox {
  /** Private files: certificates, logs, kubeconfigs. Removed by `stop`. */
  readonly folder: string;
  /** The administrator's kubeconfig, mode 0600. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly state: SandboxState;
  /** Ends every process of the sandbox and removes its folder. */
  stop(): Promise<void>;
}

const folderPrefix = 'plumb-sandbox-';
/** How long a sandbox may take to end in order. */
export const stopMs = 15_000;
const pollMs = 50;
const abandonedMs = 10 * 60_000;
/** After that a process does not end any more, however busy the machine is. */
const exitMs = 60_000;

/** Starts a sandbox for this process. Ready when a Deployment applied now would become available. Throws SandboxFailed. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  await removeAbandonedFolders();
  const folder = await mkdtemp(join(tmpdir(), folderPrefix));
  const supervisor = await launchSupervisor(folder, 'sandbox', options);
  const { state } = supervisor;
  return {
    folder,
    kubeconfig: state.kubeconfig,
    server: state.server,
    state,
    stop: () => endSupervisor(supervisor.process),
  };
}

export interface Supervisor {
  readonly process: ChildProcess;
  readonly state: SandboxState;
}

/** Starts a supervisor on an empty folder and waits until its sandbox is ready; on failure nothing is left. */
export async function launchSupervisor(
  folder: string,
  cluster: string,
  options: SandboxOptions,
): Promise<Supervisor> {
  const { programs, nodes = 1, emulate, apiserverFlags = [], signal, onProgress } = options;
  signal?.throwIfAborted();
  const supervisor = forkSupervisor(folder);
  const ready = firstAnswer(supervisor, onProgress);
  const abort = (): void => supervisor.disconnect();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await writePrivate(pidFileOf(folder), String(supervisor.pid));
    const spec: SandboxSpec = {
      type: 'run',
      folder,
      cluster,
      programs,
      nodes,
      apiserverFlags,
      ...(emulate !== undefined && { emulate }),
    };
    send(supervisor, spec);
    return { process: supervisor, state: await ready };
  } catch (error) {
    await endSupervisor(supervisor);
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Lets the sandbox outlive this process. */
export async function detachSupervisor(supervisor: ChildProcess): Promise<void> {
  const detached = new Promise<void>((resolve, reject) => {
    supervisor.on('message', (message) => {
      if ((message as FromSupervisor).type === 'detached') resolve();
    });
    supervisor.once('exit', () => reject(sandboxFailed('the sandbox ended while it was being started')));
  });
  send(supervisor, { type: 'detach' });
  await detached;
  supervisor.disconnect();
  supervisor.unref();
}

/** Ends the supervisor by closing its channel, and waits until it is gone. */
async function endSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const exited = once(supervisor, 'exit');
  if (supervisor.connected) supervisor.disconnect();
  const timer = setTimeout(() => supervisor.kill('SIGKILL'), stopMs);
  await exited;
  clearTimeout(timer);
}

function forkSupervisor(folder: string): ChildProcess {
  const program = join(checkoutFolder(), 'src', 'clients', 'sandbox', 'supervisor.ts');
  // The folder is an argument so that `ps` tells whose supervisor it is. A session of its own keeps Ctrl-C away from it.
  const supervisor = fork(program, [folder], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'] },
  });
  return supervisor;
}

function firstAnswer(
  supervisor: ChildProcess,
  onProgress: ((message: string) => void) | undefined,
): Promise<SandboxState> {
  const answer = new Promise<SandboxState>((resolve, reject) => {
    supervisor.on('message', (message) => {
      const said = message as FromSupervisor;
      if (said.type === 'progress') onProgress?.(said.message);
      if (said.type === 'ready') resolve(said.state);
      if (said.type === 'failed') reject(sandboxFailed(said.message));
    });
    supervisor.once('error', (error) => reject(sandboxFailed(error.message)));
    supervisor.once('exit', (code, signal) =>
      reject(sandboxFailed(`its supervisor ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
  answer.catch(() => undefined);
  return answer;
}

function send(supervisor: ChildProcess, message: ToSupervisor): void {
  supervisor.send(message);
}

function sandboxFailed(cause: string): PlumbError {
  return plumbError('SandboxFailed', { message: `the sandbox did not start: ${cause}` });
}

/** Holds the supervisor's process id from the start, for those who clean up after a kill. */
export function pidFileOf(folder: string): string {
  return join(folder, 'supervisor.pid');
}

/** Removes what a supervisor left behind that was itself killed with SIGKILL. */
async function removeAbandonedFolders(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(folderPrefix));
  for (const name of names) {
    const folder = join(tmpdir(), name);
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true });
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const pid = Number(await readFile(pidFileOf(folder), 'utf8').catch(() => ''));
  if (pid > 0) return !isRunning(pid);
  const { uid, mtimeMs } = await stat(folder).catch(() => ({ uid: -1, mtimeMs: Date.now() }));
  return uid === process.getuid?.() && Date.now() - mtimeMs > abandonedMs;
}

/** Waits until no process of that id is left; false when it is still there then. */
export async function waitForExit(pid: number, patienceMs = exitMs): Promise<boolean> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(pollMs))
    if ((await commandOf(pid)) === undefined) return true;
  return false;
}

/** The command line of a running process. A zombie that nobody has waited for is none. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (!isRunning(pid)) return undefined;
  const ps = promisify(execFile)('ps', ['-ww', '-o', 'stat=,command=', '-p', String(pid)]);
  // ps fails when there is no such process any more.
  const line = await ps.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}
