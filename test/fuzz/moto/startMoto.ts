import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheFolder } from '../../../src/clients/sandbox/places.ts';

/** The emulator of AWS that most projects test with, on loopback. */
export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Installs moto's pinned packages into the cache (once, about 140 MB); gives their folder, or why this machine cannot have them. */
export function installMoto(): { readonly packages: string } | { readonly problem: string } {
  if (spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' }).status !== 0)
    return { problem: 'moto needs Python 3 with pip' };
  const packages = installed();
  return packages === undefined
    ? { problem: 'pip could not install moto; its lines above say why' }
    : { packages };
}

/** Starts moto from the folder of its packages. */
export async function startMoto(packages: string): Promise<Moto> {
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], PYTHONPATH: packages, PYTHONUNBUFFERED: '1' },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    void ended.then(() => reject(new Error(`moto ended before it listened:\n${lines.join('\n')}`)));
  });
  return {
    url,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

function installed(): string | undefined {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), 'moto', digest);
  if (existsSync(folder)) return folder;
  process.stderr.write('installing moto (once, about 140 MB) …\n');
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const options = ['--quiet', '--require-hashes', '--no-deps', '--only-binary', ':all:'];
  const { status } = spawnSync(
    'python3',
    ['-m', 'pip', 'install', ...options, '--target', unfinished, '--requirement', requirements],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    return undefined;
  }
  // Another process may have been faster.
  if (existsSync(folder)) rmSync(unfinished, { recursive: true, force: true });
  else renameSync(unfinished, folder);
  return folder;
}
