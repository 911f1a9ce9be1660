import { simpleGit } from 'simple-git';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { GitCall, GitProgram } from './gitCall.ts';
import { runGroup } from './processGroup.ts';

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

/** What talks to a remote starts helper programs, which simple-git leaves behind when it ends git. */
const remoteCommands: readonly (string | undefined)[] = ['clone', 'fetch', 'ls-remote', 'push'];

async function collect(program: GitProgram, call: GitCall): Promise<Buffer> {
  if (remoteCommands.includes(call.args[0])) return await runGroup(program, call);
  const git = instanceFor(program, call);
  const [command, ...rest] = call.args;
  if (command === 'cat-file') return (await git.binaryCatFile(rest)) as Buffer;
  return Buffer.from(await git.raw([...call.args]));
}

function instanceFor(program: GitProgram, call: GitCall): ReturnType<typeof simpleGit> {
  return simpleGit({
    baseDir: call.folder,
    binary: program,
    maxConcurrentProcesses: 1,
    trimmed: false,
    allowEnvironment: Object.keys(call.env).filter((name) => /^(GIT_|SSH_ASKPASS)/.test(name)),
    unsafe: {
      // All values are made here, none comes from a repository or a manifest unchecked.
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeSshCommand: true,
      allowUnsafeAskPass: true,
      allowUnsafeGitProxy: true,
      allowUnsafeCustomBinary: true,
    },
    // By default an exit code counts as failure only when something stands on the standard error.
    errors: (error, { exitCode, stdErr }) =>
      error ??
      (exitCode === 0 ? undefined : new Error(`exit code ${exitCode}\n${Buffer.concat(stdErr).toString()}`)),
    ...(call.signal !== undefined && { abort: call.signal }),
    ...(call.input !== undefined && { input: () => call.input }),
  }).env({ ...call.env });
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
      hint: 'install git, or name the program in the setting plumb.gitPath',
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
