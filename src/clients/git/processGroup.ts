import { spawn, type ChildProcess } from 'node:child_process';
import type { GitCall, GitProgram } from './gitCall.ts';

/** Git's standard output, from a process group that ends as a whole; git's own words are the message of what it throws. */
export function runGroup(
  program: GitProgram,
  { args, folder, env, input, signal }: GitCall,
): Promise<Buffer> {
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
