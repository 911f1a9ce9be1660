import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type JsonObject, isJsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { apiRequest } from './apiRequest.ts';
import { freePorts } from './freePorts.ts';
import { type BuildOptions, ensureGoBinary } from './goBinary.ts';
import { checkoutFolder } from './places.ts';
import { administratorAccess, readAuthority, sandboxFolder, writeKubeconfig } from './sandboxFolder.ts';

/** The controllers that are built from their modules. Not every Go module proxy serves those of source-controller. */
export const fluxControllerNames = [
  'source-controller',
  'kustomize-controller',
  'helm-controller',
  'notification-controller',
] as const;
export type FluxControllerName = (typeof fluxControllerNames)[number];

export interface FluxControllerOptions {
  readonly name: FluxControllerName;
  /** From `ensureFluxController`. */
  readonly program: string;
  /** The administrator's kubeconfig of a sandbox; the controller gets one of its own ServiceAccount. */
  readonly kubeconfig: string;
  /** The namespace of the installation, `flux-system` when absent. */
  readonly namespace?: string;
  /** Beside leader election and ports, which are set. */
  readonly flags?: readonly string[];
}

/** A real Flux controller as a process of this machine. It ends with this process, even when that is killed. */
export interface FluxController {
  readonly name: FluxControllerName;
  readonly pid: number;
  readonly log: string;
  /** Resolves with its last words when it ends, whoever ended it. */
  readonly ended: Promise<string>;
  /** Resolves when it has taken its Lease; throws SandboxFailed when it ends before. */
  untilLeading(signal?: AbortSignal): Promise<void>;
  /** Ends it as its Deployment would: it finishes what it does and releases its Lease. */
  stop(): Promise<void>;
  /** Ends it as a lost node would: its Lease runs out 35 s later. */
  kill(): Promise<void>;
}

const pollMs = 100;
const stopMs = 35_000;

/** Builds the controller, unchanged, from its Go module; one and a half minutes on two cores the first time. */
export function ensureFluxController(name: FluxControllerName, options: BuildOptions = {}): Promise<string> {
  const folder = join(checkoutFolder(), 'sandbox', 'flux', name);
  return ensureGoBinary({ name, folder, target: `github.com/fluxcd/${name}`, ldflags: [] }, options);
}

/** Whether the sandbox serves the Kustomization kind, without which no controller starts. */
export async function isFluxInstalled(kubeconfig: string): Promise<boolean> {
  const folder = sandboxFolder(dirname(kubeconfig));
  const access = await administratorAccess(folder, await serverOf(folder.state));
  const { status } = await apiRequest(access, 'GET', '/apis/kustomize.toolkit.fluxcd.io/v1');
  return status === 200;
}

/**
 * Starts the controller with leader election and the rights of its ServiceAccount, as in a cluster. The installation's
 * definitions and RBAC must be there. Linux only: it takes its Lease's namespace from a file under /var/run, which it gets
 * in a mount namespace of its own. Throws SandboxFailed.
 */
export async function startFluxController(options: FluxControllerOptions): Promise<FluxController> {
  const { name, program, kubeconfig, namespace = 'flux-system', flags = [] } = options;
  if (process.platform !== 'linux')
    throw plumbError('SandboxFailed', {
      message: `${name} needs a private mount namespace, which only Linux has`,
      hint: 'run it on Linux, or install Flux into another cluster',
    });
  const folder = sandboxFolder(dirname(kubeconfig));
  const home = join(folder.path, 'flux', name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const server = await serverOf(folder.state);
  const ownKubeconfig = join(home, 'kubeconfig');
  await writeKubeconfig(ownKubeconfig, 'sandbox', server, await readAuthority(folder), {
    userName: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  });
  const ownFlags = await controllerFlags(name, home);
  const log = join(folder.logs, `${name}.log`);
  const output = openSync(log, 'a', 0o600);
  const child = spawn('unshare', [...namespaceArguments(namespace), program, ...ownFlags, ...flags], {
    cwd: home,
    // A group of its own: Ctrl-C is for its starter, which then ends it in order.
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      TMPDIR: home,
      KUBECONFIG: ownKubeconfig,
      RUNTIME_NAMESPACE: namespace,
    },
  });
  closeSync(output);
  await once(child, 'spawn').catch((error: unknown) => {
    throw plumbError('SandboxFailed', {
      message: `${name} did not start: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'unshare, mount and setpriv of util-linux are needed',
      cause: error,
    });
  });
  const access = await administratorAccess(folder, server);
  const startedAt = Date.now();
  return {
    name,
    pid: child.pid ?? 0,
    log,
    ended: once(child, 'exit').then(() => lastLines(log)),
    untilLeading: async (signal) => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}-leader-election`;
      for (;;) {
        signal?.throwIfAborted();
        if (hasEnded(child))
          throw plumbError('SandboxFailed', { message: `${name} ended: ${await lastLines(log)}` });
        const { status, body } = await apiRequest(access, 'GET', path);
        if (status === 200 && tookLease(JSON.parse(body) as JsonObject, startedAt)) return;
        await delay(pollMs);
      }
    },
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

/**
 * A mount namespace in which /var/run holds the file that names the namespace of a Pod's ServiceAccount. Everyone but root
 * needs a user namespace for it. `setpriv` has the kernel end the controller when this process ends.
 */
function namespaceArguments(namespace: string): string[] {
  const script = `set -e
mount -t tmpfs -o size=64k,mode=755 tmpfs "$(readlink -f /var/run)"
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
printf %s "$1" > /var/run/secrets/kubernetes.io/serviceaccount/namespace
shift
exec setpriv --pdeathsig KILL -- "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return [...asRoot, '--mount', '--propagation', 'private', '--', 'sh', '-c', script, 'flux', namespace];
}

async function controllerFlags(name: FluxControllerName, home: string): Promise<string[]> {
  const flags = [
    '--enable-leader-election',
    '--metrics-addr=127.0.0.1:0',
    '--health-addr=127.0.0.1:0',
    '--log-level=info',
    '--log-encoding=json',
  ];
  switch (name) {
    case 'source-controller': {
      const storage = join(home, 'artifacts');
      await mkdir(storage, { recursive: true, mode: 0o700 });
      const [port = 0] = await freePorts(1);
      const address = `127.0.0.1:${port}`;
      // Advertised as it is: whoever reconciles beside it runs on this machine too.
      return [
        ...flags,
        `--storage-path=${storage}`,
        `--storage-addr=${address}`,
        `--storage-adv-addr=${address}`,
      ];
    }
    case 'kustomize-controller':
    case 'helm-controller':
      return flags;
    case 'notification-controller':
      return [...flags, '--events-addr=127.0.0.1:0', '--receiverAddr=127.0.0.1:0'];
  }
}

/** Whether the controller acquired the Lease since: Plumb's own holders are named `plumb_…`, an earlier run's time is older. */
function tookLease(lease: JsonObject, since: number): boolean {
  const spec = isJsonObject(lease['spec']) ? lease['spec'] : {};
  const holder = String(spec['holderIdentity'] ?? '');
  return (
    holder !== '' && !holder.startsWith('plumb_') && Date.parse(String(spec['acquireTime'] ?? '')) >= since
  );
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await exited;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function serverOf(state: string): Promise<string> {
  const parsed = JSON.parse(await readFile(state, 'utf8')) as JsonObject;
  return String(parsed['server']);
}

async function lastLines(log: string): Promise<string> {
  const text = await readFile(log, 'utf8');
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
