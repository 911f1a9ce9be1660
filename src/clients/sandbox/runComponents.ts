import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isJsonObject, type JsonValue } from '../../base/json.ts';
import { apiRequest } from './apiRequest.ts';
import { type ComponentName, componentFlags, logOf, type Ports } from './components.ts';
import { freePorts } from './freePorts.ts';
import {
  type AdministratorAccess,
  type SandboxFolder,
  sandboxFolder,
  writePrivate,
  writeSandboxFolder,
} from './sandboxFolder.ts';
import type { SandboxSpec, SandboxState } from './supervisorProtocol.ts';

const startupMs = 300_000;
const pollMs = 50;

interface Component {
  readonly name: ComponentName;
  readonly process: ChildProcess;
}

/**
 * The components of one sandbox as children of this process. `start` resolves once a Pod could be created and would
 * become ready; `kill` ends them all at once: their data goes with them.
 */
export class ComponentSet {
  readonly #spec: SandboxSpec;
  readonly #folder: SandboxFolder;
  readonly #running: Component[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #isStopping = false;

  constructor(spec: SandboxSpec) {
    this.#spec = spec;
    this.#folder = sandboxFolder(spec.folder);
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when a component ends although nobody asked it to. */
  get failure(): Promise<never> {
    return this.#failed.promise;
  }

  async start(progress: (message: string) => void): Promise<SandboxState> {
    const startedAt = new Date();
    const [apiserver = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
    const ports = { apiserver, etcd, etcdPeer };
    const access = await writeSandboxFolder(this.#folder, this.#spec.cluster, apiserver);
    const stages = this.#writeStages();
    progress('starting etcd and the API server');
    this.#spawn('etcd', ports);
    this.#spawn('apiserver', ports);
    await stages;
    await this.#until(
      'the API server is ready',
      async () => (await apiRequest(access, 'GET', '/readyz')).status === 200,
    );
    progress('starting the controllers, the scheduler and the nodes');
    for (const name of ['controller-manager', 'scheduler', 'kwok'] as const) this.#spawn(name, ports);
    if (this.#has('kwok')) await this.#createStandIns(access);
    if (this.#has('controller-manager')) {
      const path = '/api/v1/namespaces/default/serviceaccounts/default';
      await this.#until(
        'the controllers work',
        async () => (await apiRequest(access, 'GET', path)).status === 200,
      );
    }
    const state: SandboxState = {
      pid: process.pid,
      server: access.server,
      kubeconfig: this.#folder.kubeconfig,
      startedAt: startedAt.toISOString(),
      readyAfterMs: Date.now() - startedAt.getTime(),
      ...(this.#spec.emulate !== undefined && { emulates: this.#spec.emulate }),
      ports,
      components: this.#running.map(({ name, process: child }) => ({ name, pid: child.pid ?? 0 })),
    };
    await writePrivate(this.#folder.state, JSON.stringify(state));
    return state;
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      this.#running.map(async ({ process: child }) => {
        if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
        const exited = once(child, 'exit');
        killGroup(child.pid);
        await exited;
      }),
    );
  }

  #has(name: ComponentName): boolean {
    return this.#spec.programs[name] !== undefined;
  }

  #spawn(name: ComponentName, ports: Ports): void {
    const [program, ...first] = this.#spec.programs[name] ?? [];
    if (program === undefined || this.#isStopping) return;
    const log = openSync(logOf(this.#folder, name), 'a', 0o600);
    const added = name === 'apiserver' ? this.#spec.apiserverFlags : [];
    const child = spawn(
      program,
      [...first, ...componentFlags(name, this.#folder, ports, this.#spec.emulate), ...added],
      {
        cwd: this.#folder.path,
        // A group of its own: what a script in between starts ends with it.
        detached: true,
        // The pipe on standard input closes when this process ends, however it ends; the components exit then.
        stdio: ['pipe', log, log],
        env: environmentFor(this.#folder),
      },
    );
    closeSync(log);
    // A component that is just ending breaks the pipe; its exit says so.
    child.stdin?.on('error', () => undefined);
    this.#running.push({ name, process: child });
    child.once('error', (error) => this.#fail(name, error.message));
    child.once('exit', (code, signal) => this.#fail(name, `ended with ${signal ?? `exit code ${code}`}`));
  }

  #fail(name: ComponentName, reason: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    void lastLines(logOf(this.#folder, name)).then((lines) =>
      this.#failed.reject(new Error(`${name} ${reason}${lines === '' ? '' : `:\n${lines}`}`)),
    );
  }

  async #writeStages(): Promise<void> {
    const [program] = this.#spec.programs.kwok ?? [];
    if (program === undefined) return;
    const { stdout } = await promisify(execFile)(program, ['stages'], { env: environmentFor(this.#folder) });
    await writePrivate(this.#folder.stages, stdout);
  }

  /** What a cloud and its kubelets would bring: nodes, and a class of volumes. kwok brings them to life. */
  async #createStandIns(access: AdministratorAccess): Promise<void> {
    const names = Array.from({ length: this.#spec.nodes }, (_, index) => `sandbox-${index}`);
    await create(access, '/apis/storage.k8s.io/v1/storageclasses', storageClass);
    for (const name of names) await create(access, '/api/v1/nodes', node(name));
    for (const name of names)
      await this.#until(`node ${name} is ready`, async () =>
        isReady((await apiRequest(access, 'GET', `/api/v1/nodes/${name}`)).body),
      );
  }

  /** Asks until the answer is yes; requests that fail meanwhile count as no. */
  async #until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + startupMs;
    let last = 'no answer yet';
    while (Date.now() < deadline) {
      const yes = await Promise.race([
        ask().catch((error: unknown) => {
          last = error instanceof Error ? error.message : String(error);
          return false;
        }),
        this.failure,
      ]);
      if (yes) return;
      await Promise.race([delay(pollMs), this.failure]);
    }
    throw new Error(`not so after ${startupMs / 1000} s: ${what} (${last})`);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // It ended by itself a moment ago.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing of the user's environment reaches the components: no proxies, no tokens, no kwok settings of theirs. */
function environmentFor(folder: SandboxFolder): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: folder.path, TMPDIR: folder.path, KWOK_WORKDIR: folder.path };
}

async function create(access: AdministratorAccess, path: string, object: object): Promise<void> {
  const { status, body } = await apiRequest(access, 'POST', path, object);
  if (status !== 201) throw new Error(`${path}: creation was refused with ${status}: ${body}`);
}

/** Named in stages.yaml of the Go module, which makes its volumes. */
const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'sandbox', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'sandbox.plumb',
};

function node(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        type: 'kwok',
      },
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
    },
  };
}

function isReady(body: string): boolean {
  const parsed = JSON.parse(body) as JsonValue;
  const status = isJsonObject(parsed) && isJsonObject(parsed['status']) ? parsed['status'] : {};
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as JsonValue[]) : [];
  return conditions.some(
    (condition) => isJsonObject(condition) && condition['type'] === 'Ready' && condition['status'] === 'True',
  );
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
