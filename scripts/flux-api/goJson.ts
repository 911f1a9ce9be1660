import { execFileSync } from 'node:child_process';

/** What a go command prints in this folder's module, parsed as JSON. */
export function goJson<T>(args: readonly string[]): T {
  const output = execFileSync('go', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(output) as T;
}
