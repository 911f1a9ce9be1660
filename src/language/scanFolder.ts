import { mapLimit } from '../base/mapLimit.ts';
import { isYamlPath } from './model/fileNames.ts';

/** A name in a folder of the disk. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** The disk, as the language service looks at it: paths are absolute, with the separators of `join`. */
export interface Disk {
  join(folder: string, name: string): string;
  /** Undefined when there is no such folder. Links are told as files and never followed. */
  readFolder(path: string): Promise<readonly FolderEntry[] | undefined>;
  /** Bytes of a file; undefined when there is none. */
  sizeOf(path: string): Promise<number | undefined>;
  /** Undefined when the file cannot be read. */
  readText(path: string): Promise<string | undefined>;
}

/** A file found: with its text when it is YAML. */
export interface ScannedFile {
  readonly path: string;
  readonly text: string | undefined;
}

/** Larger files are known by name only: nobody writes such manifests by hand. */
const maxTextBytes = 5 * 1024 * 1024;
const maxFiles = 50_000;

/** Never looked into: they hold nothing that is deployed from here. */
const skipped = new Set(['.git', '.terraform', '.venv', 'node_modules']);

/**
 * Every file below a folder, depth first, at most 50,000; paths are relative with `/` and begin with `prefix`.
 * Stops early when the signal aborts.
 */
export async function scanFolder(
  disk: Disk,
  folder: string,
  prefix: string,
  signal: AbortSignal,
): Promise<ScannedFile[]> {
  const paths: (readonly [path: string, absolute: string])[] = [];
  const visit = async (absolute: string, path: string): Promise<void> => {
    if (signal.aborted) return;
    for (const { name, isFolder } of (await disk.readFolder(absolute)) ?? []) {
      const child = [disk.join(absolute, name), path === '' ? name : `${path}/${name}`] as const;
      if (!isFolder && paths.length < maxFiles) paths.push([child[1], child[0]]);
      else if (isFolder && !skipped.has(name) && paths.length < maxFiles) await visit(...child);
    }
  };
  await visit(folder, prefix);
  return await mapLimit(paths, 16, async ([path, absolute]) => ({
    path,
    text: signal.aborted ? undefined : await readYaml(disk, absolute, path),
  }));
}

/** The text of one file, read as `scanFolder` does. */
export async function scanFile(disk: Disk, absolute: string, path: string): Promise<ScannedFile> {
  return { path, text: await readYaml(disk, absolute, path) };
}

async function readYaml(disk: Disk, absolute: string, path: string): Promise<string | undefined> {
  if (!isYamlPath(path)) return undefined;
  const size = await disk.sizeOf(absolute);
  return size === undefined || size > maxTextBytes ? undefined : await disk.readText(absolute);
}
