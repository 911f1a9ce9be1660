import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../src/clients/sandbox/places.ts';

/** What the oldest supported editor runs extensions and their child processes with. */
const version = '22.23.3';

/** The program of Node 22, installed into the cache with npm by the first test that needs it. */
export function olderNode(): string {
  const folder = join(cacheFolder(), 'node', version);
  const program = join('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(join(folder, program))) return join(folder, program);
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  writeFileSync(join(fresh, 'package.json'), '{"private":true}');
  const { status, stderr } = spawnSync(
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', `node@${version}`],
    { cwd: fresh, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) {
    rmSync(fresh, { recursive: true });
    throw new Error(`npm could not install node@${version}: ${stderr}`);
  }
  // Whole or not at all; another test may have been first.
  if (existsSync(folder)) rmSync(fresh, { recursive: true });
  else renameSync(fresh, folder);
  return join(folder, program);
}
