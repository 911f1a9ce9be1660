import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Bench, median } from './figure.ts';

const root = resolve(import.meta.dirname, '../..');

/** The extension host's entry: its size, and how long the CLI takes to start, with and without anything to do. */
export const bench: Bench = ({ smoke }) => {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--production'], { cwd: root });
  if (built.status !== 0) throw new Error(`the bundles could not be built: ${built.stderr.toString()}`);
  const runs = smoke ? 1 : 11;
  const starts = Array.from({ length: runs }, () => {
    const started = performance.now();
    const result = spawnSync(process.execPath, [join(root, 'dist/cli.mjs'), 'version']);
    if (result.status !== 0) throw new Error(result.stderr.toString());
    return performance.now() - started;
  }).sort((a, b) => a - b);
  return Promise.resolve([
    {
      name: 'host entry size',
      value: statSync(join(root, 'dist/extension.cjs')).size / 1024,
      unit: 'KB',
      limit: 100,
    },
    { name: 'cli start (version)', value: median(starts), unit: 'ms' },
  ]);
};
