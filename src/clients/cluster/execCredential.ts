import { spawn } from 'node:child_process';
import { dirname, isAbsolute, resolve } from 'node:path';
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';

/** The `exec` entry of a kubeconfig user (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always';
}

/** What a credential program gave: a token, a client certificate, or both. */
export interface ExecCredential {
  readonly token?: Secret<string>;
  readonly certificate?: string;
  readonly key?: Secret<string>;
  /** Milliseconds since the epoch; absent when it lives as long as the process. */
  readonly expiresAt?: number;
}

/** Runs the credential program of a user: at most one at a time, its answer kept until it expires or is refused. */
export interface ExecCredentialRunner {
  current(): Promise<ExecCredential>;
  /** Drops that credential, if it is still the one in use: the server refused it. */
  forget(refused: ExecCredential): void;
  /** Ends the program if it runs: nobody waits for its answer any more. */
  stop(): void;
}

const supportedVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const programTimeoutMs = 60_000;
/** A credential about to expire is not used for a request that may still be under way then. */
const expiryMarginMs = 10_000;

/**
 * A runner for one user. `clusterInfo` is handed to the program when it asks for it; `folder` is the kubeconfig's.
 * Its calls throw AuthenticationFailed with the program's own words and install hint.
 */
export function execCredentialRunner(
  config: ExecConfig,
  clusterInfo: JsonObject,
  folder: string | undefined,
): ExecCredentialRunner {
  let kept: ExecCredential | undefined;
  let running: Promise<ExecCredential> | undefined;
  const stopped = new AbortController();
  return {
    async current() {
      if (kept !== undefined && (kept.expiresAt ?? Infinity) - expiryMarginMs > Date.now()) return kept;
      running ??= runProgram(config, clusterInfo, folder, stopped.signal)
        .then((credential) => (kept = credential))
        .finally(() => (running = undefined));
      return running;
    },
    forget(refused) {
      if (kept === refused) kept = undefined;
    },
    stop: () => stopped.abort(),
  };
}

async function runProgram(
  config: ExecConfig,
  clusterInfo: JsonObject,
  folder: string | undefined,
  stopped: AbortSignal,
): Promise<ExecCredential> {
  const fail = failureOf(config);
  if (!supportedVersions.includes(config.apiVersion))
    throw fail(
      `speaks ${config.apiVersion}, which is not supported`,
      `supported: ${supportedVersions.join(', ')}`,
    );
  if (config.interactiveMode === 'Always')
    throw fail(
      'needs a terminal to ask in',
      'log in with the program first, then set interactiveMode: IfAvailable',
    );
  const info: JsonObject = {
    apiVersion: config.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(config.provideClusterInfo === true && { cluster: clusterInfo }) },
  };
  const added = Object.fromEntries((config.env ?? []).map(({ name, value }) => [name, value]));
  const { code, stdout, stderr } = await collect(
    programPath(config.command, folder),
    config.args ?? [],
    { ...process.env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    fail,
    stopped,
  );
  if (code !== 0) throw fail(`ended with ${code}: ${lastLine(stderr)}`);
  return parseCredential(stdout, config.apiVersion, fail);
}

/** A command with a slash is meant relative to the kubeconfig, as kubectl takes it; a bare name is looked up in PATH. */
function programPath(command: string, folder: string | undefined): string {
  const isBare = dirname(command) === '.' && !command.startsWith('.');
  return isBare || isAbsolute(command) || folder === undefined ? command : resolve(folder, command);
}

type Fail = (problem: string, hint?: string) => Error;

function failureOf(config: ExecConfig): Fail {
  return (problem, hint) =>
    plumbError('AuthenticationFailed', {
      message: `credential program ${config.command}: ${problem}`,
      hint:
        hint ??
        config.installHint?.trim() ??
        `run ${[config.command, ...(config.args ?? [])].join(' ')} in a terminal to see what is wrong`,
    });
}

interface Collected {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

async function collect(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  fail: Fail,
  stopped: AbortSignal,
): Promise<Collected> {
  return await new Promise<Collected>((done, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Not spawn's own timeout: its timer outlives a program that could not be started.
    const timer = setTimeout(() => child.kill(), programTimeoutMs);
    const stop = (): void => {
      child.kill();
      // What the program started itself may hold the pipes for long: nobody reads them.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    if (stopped.aborted) stop();
    else stopped.addEventListener('abort', stop, { once: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(fail(error.code === 'ENOENT' ? 'is not installed' : error.message));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', stop);
      done({
        code: code ?? signal ?? 'SIGTERM',
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}

function parseCredential(stdout: string, apiVersion: string, fail: Fail): ExecCredential {
  const answer = parsedOrUndefined(stdout);
  if (!isJsonObject(answer) || answer['kind'] !== 'ExecCredential')
    throw fail('printed something else than an ExecCredential');
  if (answer['apiVersion'] !== apiVersion)
    throw fail(`answered in ${String(answer['apiVersion'])}, but was asked in ${apiVersion}`);
  const status = isJsonObject(answer['status']) ? answer['status'] : {};
  const token = textOf(status['token']);
  const certificate = textOf(status['clientCertificateData']);
  const key = textOf(status['clientKeyData']);
  if (token === undefined && (certificate === undefined || key === undefined))
    throw fail('gave neither a token nor a certificate with its key');
  const expiry = Date.parse(textOf(status['expirationTimestamp']) ?? '');
  return {
    ...(token !== undefined && { token: new Secret(token) }),
    ...(certificate !== undefined && key !== undefined && { certificate, key: new Secret(key) }),
    ...(!Number.isNaN(expiry) && { expiresAt: expiry }),
  };
}

function parsedOrUndefined(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    // The text may be a token: it is not told.
    return undefined;
  }
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
