import { existsSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from '../base/diagnostic.ts';
import { plumbError } from '../base/plumbError.ts';
import { createLanguageService } from '../language/languageService.ts';
import { scanFolder, type Disk } from '../language/scanFolder.ts';

export interface Validation {
  /** Absolute path of the repository the files were judged in. */
  readonly root: string;
  /** How many YAML files were looked at. */
  readonly files: number;
  /** Paths relative to the root. */
  readonly diagnostics: readonly Diagnostic[];
  /** YAML files too large to be read, relative to the root. */
  readonly unread: readonly string[];
}

/**
 * What is wrong in the files at or below the paths. They are judged as part of their git repository, or of their folder
 * where there is none, because sources, bases and dependencies often lie beside them. Reads only.
 * Throws InvalidPath for a path that does not exist, Cancelled when the signal aborts.
 */
export async function validateFiles(paths: readonly string[], signal: AbortSignal): Promise<Validation[]> {
  const byRoot = new Map<string, string[]>();
  for (const path of paths) {
    const absolute = await existing(path);
    const root = await rootOf(absolute);
    byRoot.set(root, [...(byRoot.get(root) ?? []), absolute]);
  }
  const validations: Validation[] = [];
  for (const [root, chosen] of byRoot) validations.push(await validateRoot(root, chosen, signal));
  return validations;
}

async function validateRoot(
  root: string,
  chosen: readonly string[],
  signal: AbortSignal,
): Promise<Validation> {
  const scanned = await scanFolder(disk, root, '', signal);
  signal.throwIfAborted();
  const service = createLanguageService({ uriOf: (path) => pathToFileURL(join(root, path)).href });
  for (const { path, text } of scanned) service.setFile(path, text);
  const prefixes = chosen.map((path) => relative(root, path).split(sep).join('/'));
  const isChosen = (path: string): boolean =>
    prefixes.some((prefix) => prefix === '' || path === prefix || path.startsWith(`${prefix}/`));
  const files = [...service.paths()].filter(isChosen).sort();
  const diagnostics: Diagnostic[] = [];
  for (const path of files) {
    signal.throwIfAborted();
    diagnostics.push(...service.diagnostics(path));
  }
  const unread = scanned.filter(({ path, text }) => /\.ya?ml$/i.test(path) && text === undefined);
  const unreadPaths = unread.map(({ path }) => path).filter(isChosen);
  return { root, files: files.length, diagnostics, unread: unreadPaths };
}

async function existing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw plumbError('InvalidPath', { message: `${path}: no such file or folder`, cause });
  }
}

/** The folder with `.git` around a path, else its own folder. */
async function rootOf(absolute: string): Promise<string> {
  const start = (await stat(absolute)).isDirectory() ? absolute : dirname(absolute);
  for (let folder = start; ; folder = resolve(folder, '..')) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

const disk: Disk = {
  join,
  async readFolder(path) {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  },
  // A link that leads nowhere has no size; it is told as unread.
  sizeOf: (path) =>
    stat(path).then(
      ({ size }) => size,
      () => undefined,
    ),
  readText: (path) => readFile(path, 'utf8'),
};
