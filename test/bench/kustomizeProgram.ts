import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findGo } from '../../src/clients/sandbox/goToolchain.ts';

const version = 'v5.8.1';

/**
 * The kustomize program that Plumb follows, built once with the Go of this machine and kept in the cache; undefined without
 * Go. Throws when the build fails.
 */
export async function kustomizeProgram(): Promise<string | undefined> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plumb');
  const program = join(cache, 'kustomize', version, 'kustomize');
  if (existsSync(program)) return program;
  const { go } = await findGo('/');
  if (go === undefined) return undefined;
  process.stderr.write(`building kustomize ${version} (once) …\n`);
  mkdirSync(join(cache, 'kustomize'), { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'kustomize', 'unfinished-'));
  try {
    const target = `sigs.k8s.io/kustomize/kustomize/v5@${version}`;
    const built = spawnSync(go.program, ['install', target], {
      cwd: unfinished,
      env: { ...process.env, ...go.environment, GOBIN: unfinished, GOFLAGS: '', GOWORK: 'off' },
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(`go install ${target} failed: ${built.stderr}`);
    if (!existsSync(program)) renameSync(unfinished, join(cache, 'kustomize', version));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return program;
}

/** What one run of a program took. */
export interface ProcessRun {
  readonly ms: number;
  /** The most memory it held at once; undefined where the system does not tell. */
  readonly peakMb: number | undefined;
  readonly output: string;
}

/** Runs a program to its end. Throws when it fails. */
export async function runProgram(program: string, args: readonly string[]): Promise<ProcessRun> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let peakMb: number | undefined;
  const watch = setInterval(() => (peakMb = peakOf(child.pid) ?? peakMb), 3);
  const chunks: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    peakMb = peakOf(child.pid) ?? peakMb;
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  try {
    const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const ms = performance.now() - started;
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${errors}`);
    return { ms, peakMb, output: Buffer.concat(chunks).toString() };
  } finally {
    clearInterval(watch);
  }
}

/** The high-water mark of a process's resident memory, as Linux counts it. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
