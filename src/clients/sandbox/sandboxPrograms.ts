import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../base/digest.ts';
import { plumbError } from '../../base/plumbError.ts';
import { componentNames, type Programs } from './components.ts';
import { withFileLock } from './fileLock.ts';
import { goBuild } from './goBuild.ts';
import { findGo, type GoToolchain, neededGo } from './goToolchain.ts';
import { cacheFolder, checkoutFolder } from './places.ts';

export interface BuildOptions {
  readonly signal?: AbortSignal;
  /** Called with what is being done; a first build takes 5 to 10 minutes. */
  readonly onProgress?: (message: string) => void;
}

const kubernetesVersion = 'v1.36.3';
const unusedMs = 30 * 24 * 3_600_000;

/**
 * The programs of the sandbox, built when the cache does not hold them for these sources and this Go.
 * One process builds at a time, others wait for it. Throws SandboxFailed, or NotFound outside of a checkout.
 */
export async function ensureSandboxPrograms(options: BuildOptions = {}): Promise<Programs> {
  const sources = join(checkoutFolder(), 'sandbox');
  const digest = await digestOf(sources);
  const builds = join(cacheFolder(), 'sandbox');
  const { go, seen } = await findGo(sources);
  if (go === undefined) {
    const built = await anyBuild(builds, digest);
    if (built !== undefined) return programsOf(built);
    throw plumbError('SandboxFailed', {
      message: `building the sandbox needs Go ${neededGo} or newer, found ${seen.length === 0 ? 'none' : seen.join(', ')}`,
      hint: `install Go ${neededGo} (https://go.dev/dl)`,
    });
  }
  const binary = join(builds, buildName(digest, go.version), 'sandbox');
  if (await exists(binary)) {
    await utimes(binary, new Date(), new Date());
    return programsOf(binary);
  }
  const progress = elapsedProgress('building the sandbox', options.onProgress);
  await withFileLock(
    `${join(builds, buildName(digest, go.version))}.lock`,
    async () => {
      if (!(await exists(binary))) await build(sources, binary, go, progress, options.signal);
    },
    {
      onWait: () => progress('another process is doing it'),
      ...(options.signal !== undefined && { signal: options.signal }),
    },
  );
  await removeUnused(builds);
  return programsOf(binary);
}

async function build(
  sources: string,
  binary: string,
  go: GoToolchain,
  onProgress: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const folder = join(binary, '..');
  const output = `${binary}.${process.pid}.new`;
  await mkdir(folder, { recursive: true });
  try {
    const [major = '', minor = ''] = kubernetesVersion.slice(1).split('.');
    const stamp = 'k8s.io/component-base/version';
    await goBuild({
      go,
      folder: sources,
      target: '.',
      ldflags: [
        `-X ${stamp}.gitVersion=${kubernetesVersion}`,
        `-X ${stamp}.gitMajor=${major}`,
        `-X ${stamp}.gitMinor=${minor}`,
      ],
      output,
      onProgress,
      ...(signal !== undefined && { signal }),
    });
    await rename(output, binary);
  } finally {
    await rm(output, { force: true });
  }
}

/** The programs of one binary that has them all as subcommands. */
function programsOf(binary: string): Programs {
  return Object.fromEntries(componentNames.map((name) => [name, [binary, name]]));
}

function buildName(digest: string, goVersion: string): string {
  return `${digest}-${goVersion}-${process.platform}-${process.arch}`;
}

/** A build of the same sources by another Go, for machines where none is found any more. */
async function anyBuild(builds: string, digest: string): Promise<string | undefined> {
  const suffix = `-${process.platform}-${process.arch}`;
  const names = await readdir(builds).catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith(`${digest}-`) && entry.endsWith(suffix)))
    if (await exists(join(builds, name, 'sandbox'))) return join(builds, name, 'sandbox');
  return undefined;
}

async function digestOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name)).sort();
  const parts = await Promise.all(
    names.map(async (name) => `${name} ${sha256Hex(await readFile(join(folder, name)))}`),
  );
  return sha256Hex(parts.join('\n')).slice(0, 16);
}

/** Builds are 130 MB each: those that nobody used for a month go. */
async function removeUnused(builds: string): Promise<void> {
  for (const name of await readdir(builds)) {
    const binary = await stat(join(builds, name, 'sandbox')).catch(() => undefined);
    if (binary !== undefined && Date.now() - binary.mtimeMs > unusedMs)
      await rm(join(builds, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Puts the subject in front and the elapsed time behind, and says nothing twice in the same second. */
export function elapsedProgress(
  subject: string,
  onProgress: ((message: string) => void) | undefined,
): (message: string) => void {
  const started = Date.now();
  let last = '';
  return (message) => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    const elapsed = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    if (elapsed === last) return;
    last = elapsed;
    onProgress?.(`${subject}: ${message} (${elapsed})`);
  };
}
