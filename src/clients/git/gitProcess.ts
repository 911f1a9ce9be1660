import { spawn, type ChildProcess } from 'node:child_process';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';

/** One run of git. The environment is all that git gets: nothing of this process is added. */
export interface GitCall {
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What git reads from its standard input. */
  readonly input?: string | Buffer;
  readonly signal?: AbortSignal;
  /** What it is about, for errors: the repository's URL without credentials. */
  readonly subject?: string;
}

export type GitProgram = string;

/** Runs git and gives its standard output as text. Throws AuthenticationFailed, GitOperationFailed or Cancelled. */
export async function runGit(program: GitProgram, call: GitCall): Promise<string> {
  return (await outputOf(program, call)).toString('utf8');
}

/** Runs `git cat-file` and gives its output as bytes. */
export async function catFile(program: GitProgram, call: GitCall): Promise<Buffer> {
  return outputOf(program, { ...call, args: ['cat-file', ...call.args] });
}

async function outputOf(program: GitProgram, call: GitCall): Promise<Buffer> {
  try {
    return await collect(program, call);
  } catch (error) {
    throw gitError(call, error);
  }
}

/** Git's standard output; its own words are the message of what it throws. */
function collect(program: GitProgram, { args, folder, env, input, signal }: GitCall): Promise<Buffer> {
  return new Promise((done, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that the helpers which git starts for a remote end with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const stop = (): void => endGroup(child);
    signal?.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // Git may end without reading all: its exit code says what that means.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error) => {
      signal?.removeEventListener('abort', stop);
      reject(error);
    });
    child.once('close', (code, ended) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) return done(Buffer.concat(out));
      const words = Buffer.concat([...out, ...err]).toString('utf8');
      reject(new Error(`exit code ${code ?? ended ?? ''}\n${words}`));
    });
  });
}

/** Ends git and everything it started, kindly: it removes its lock files. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === 'win32') return void child.kill();
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch (error) {
    // The group ended in the same moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const refusedPattern =
  /authentication failed|could not read (username|password)|permission denied|invalid credentials|returned error: 40[13]|host key verification failed|access denied/i;

const unreachablePattern =
  /could not resolve host|failed to connect|connection (refused|timed out|reset|closed)|no route to host|network is unreachable/i;

function gitError({ args, signal, subject }: GitCall, error: unknown): PlumbError {
  const about = { ...(subject !== undefined && { subject }), cause: error };
  if (signal?.aborted === true) {
    return (signal.reason as Error | undefined)?.name === 'TimeoutError'
      ? plumbError('GitOperationFailed', { ...about, message: `git ${args[0]}: timed out` })
      : plumbError('Cancelled', { ...about, message: `git ${args[0]}: cancelled` });
  }
  const text = error instanceof Error ? error.message : String(error);
  if (/ENOENT/.test(text) && !/fatal:/.test(text)) {
    return plumbError('GitOperationFailed', {
      ...about,
      message: 'git cannot be started',
      hint: 'install git, or name the program in the setting plumb.git.path',
    });
  }
  if (/Host key verification failed/.test(text)) {
    const shown = /SHA256:[\w+/]+/.exec(text)?.[0];
    return plumbError('AuthenticationFailed', {
      ...about,
      message: `git ${args[0]}: host key verification failed${shown === undefined ? '' : `: the server shows ${shown}`}`,
      hint: 'compare the fingerprint with what the provider publishes; if the key changed on purpose, correct known_hosts',
    });
  }
  const message = `git ${args[0]}: ${causeLines(text)}`;
  if (!refusedPattern.test(text)) {
    return plumbError('GitOperationFailed', {
      ...about,
      message,
      ...(unreachablePattern.test(text) && {
        hint: 'check the address, the network and the proxy: git ls-remote with that URL must work on this machine',
      }),
    });
  }
  return plumbError('AuthenticationFailed', {
    ...about,
    message,
    hint: 'check the Secret that secretRef names: user and password or token for HTTP, identity and known_hosts for SSH',
  });
}

const noisePattern =
  /^(Please make sure you have|and the repository exists|To (https?|ssh):|Done$|hint:|exit code \w+$|Warning: Permanently added|remote:\s*$|error: failed to push some refs)/;
/** `! <hash>:<ref> [remote rejected] (why)`: what was pushed is known, the rest says why. */
const porcelainPattern = /^!\s+[0-9a-f]+:\S+\s+/;
const mostLines = 6;

/** The lines that say why, without git's prefixes, its general advice and any credential of a URL. */
function causeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !noisePattern.test(line))
    .slice(0, mostLines)
    .map((line) =>
      line
        .replace(/^(fatal|error): /, '')
        .replace(porcelainPattern, '')
        .replaceAll(/:\/\/[^/\s@]+@/g, '://'),
    )
    .join('; ');
}
