// Built-ins only: this runs before anything is installed, on Node 20 or newer.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

const minimumMajor = 24;
const stamp = join(root, 'node_modules', '.cache', 'plumb-lockfile');

/** Installs the packages when node_modules does not match the lockfile. Says what it does and how long it took. */
export function ensurePackages() {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lockfile).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  if (isInstalled(JSON.parse(lockfile.toString()).packages)) {
    writeStamp(digest);
    return;
  }
  const started = Date.now();
  process.stderr.write('installing packages (npm ci) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) {
    process.stderr.write('npm ci failed; the lines above say why. Check the network and try again.\n');
    process.exit(1);
  }
  writeStamp(digest);
  process.stderr.write(`packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** Whether somebody's own `npm ci` has installed all of it: npm writes this file when it is through. */
function isInstalled(wanted) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const { packages } = JSON.parse(readFileSync(record, 'utf8'));
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    const found = packages[path];
    // The root itself, and what other systems need.
    if (path === '' || (found === undefined && (optional || devOptional))) return true;
    return found?.version === version && found.integrity === integrity;
  });
}

function writeStamp(digest) {
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
  writeFileSync(stamp, digest);
}

/** The Node 24 that came with the packages, else the running one when it is new enough; exits with advice otherwise. */
export function nodeProgram() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const installed = join(root, 'node_modules', 'node', 'bin', name);
  if (existsSync(installed)) return installed;
  if (Number(process.versions.node.split('.')[0]) >= minimumMajor) return process.execPath;
  process.stderr.write(
    `Node ${minimumMajor} is needed: this is ${process.version}, and npm could not install the optional package "node" here.\n`,
  );
  process.stderr.write(`Install Node ${minimumMajor} or newer and run the command again.\n`);
  process.exit(1);
}

/** The environment for children: Node 24 and the installed tools come first on the PATH. */
export function childEnvironment(extra = {}) {
  const path = [
    join(root, 'node_modules', 'node', 'bin'),
    join(root, 'node_modules', '.bin'),
    process.env.PATH,
  ].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/** Goes on with a TypeScript file under Node 24, with this terminal, and exits as it does. */
export function continueWith(file, args) {
  ensurePackages();
  const result = spawnSync(nodeProgram(), [join(root, file), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: childEnvironment(),
  });
  if (result.error !== undefined) throw result.error;
  process.exit(result.status ?? 130);
}
