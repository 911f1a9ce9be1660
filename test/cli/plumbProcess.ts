import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The bundled command line, as users run it. */
export const bundle = resolve(import.meta.dirname, '../../dist/cli.mjs');
/** The sample fleet: a repository that every suite may read. */
export const fleet = resolve(import.meta.dirname, '../fixtures/fleet');

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs plumb to its end, with nothing of the caller's environment but PATH; HOME is the working folder unless told otherwise. */
export function runPlumb(args: readonly string[], { cwd, env = {} }: RunOptions): Run {
  const result = spawnSync(process.execPath, [bundle, ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: cwd, ...env },
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** A plumb that goes on. */
export interface RunningPlumb {
  readonly child: ChildProcess;
  /** Resolves when stdout or stderr has matched; rejects when the process ended before. */
  saw(pattern: RegExp): Promise<void>;
  /** How it ended, and all it printed. */
  readonly ended: Promise<Run & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts plumb without waiting for its end. */
export function startPlumb(args: readonly string[], { cwd, env = {} }: RunOptions): RunningPlumb {
  const child = spawn(process.execPath, [bundle, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: cwd, ...env },
  });
  let out = '';
  let err = '';
  let wake = (): void => undefined;
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    wake();
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    isOver = true;
    wake();
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, out, err };
  });
  return {
    child,
    ended,
    async saw(pattern) {
      while (!pattern.test(out) && !pattern.test(err)) {
        if (isOver) throw new Error(`plumb ${args.join(' ')} ended without ${pattern}:\n${out}\n${err}`);
        await new Promise<void>((resolve_) => (wake = resolve_));
      }
    },
  };
}

/** Writes a kubeconfig with one context `c`; `user` is its user's content. Gives its path. */
export function writeKubeconfig(
  path: string,
  cluster: Readonly<Record<string, unknown>>,
  user: Readonly<Record<string, unknown>> = {},
): string {
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'c', user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    'current-context': 'c',
  };
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
  return path;
}
