import type { Diagnostic as LspDiagnostic } from 'vscode-languageserver-types';
import type { Diagnostic } from '../base/diagnostic.ts';
import { createLanguageService, type LanguageService } from './languageService.ts';
import { toLspDiagnostic } from './lspDiagnostic.ts';
import { scanFile, scanFolder, type Disk, type ScannedFile } from './scanFolder.ts';

export interface SessionDependencies {
  readonly disk: Disk;
  /** The path on disk of a file: URI; undefined for other schemes. */
  pathOf(uri: string): string | undefined;
  uriOf(absolutePath: string): string;
  publish(diagnostics: PublishedDiagnostics): void;
  /** Runs a function after a while; gives a function that takes it back. */
  later(run: () => void, delayMs: number): () => void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

export interface PublishedDiagnostics {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: LspDiagnostic[];
}

/** A file that a folder of the session holds. */
export interface Located {
  readonly service: LanguageService;
  readonly path: string;
}

/**
 * The language services of all folders of a window: reads their files, follows documents and changes on disk,
 * and publishes what changed. Open documents win over what is on disk.
 */
export interface LanguageSession {
  /** Reads the folder and publishes; resolves when all of it is known. */
  addFolder(uri: string): Promise<void>;
  removeFolder(uri: string): void;
  documentChanged(uri: string, version: number, text: string): void;
  documentClosed(uri: string): Promise<void>;
  /** Files or folders that were made, changed or deleted on disk. */
  filesChanged(uris: readonly string[]): Promise<void>;
  /** The service and path of a file; undefined outside of every folder. */
  locate(uri: string): Located | undefined;
}

interface Folder {
  readonly root: string;
  readonly service: LanguageService;
  readonly scanning: AbortController;
  readonly published: Map<string, readonly Diagnostic[]>;
  /** False until all files are read: before, what is missing may only be missing yet. */
  isComplete: boolean;
}

interface OpenDocument {
  /** As the client writes it: clients and Node do not escape alike. */
  readonly uri: string;
  readonly version: number;
  readonly text: string;
}

/** Keystrokes that come faster than this are judged together. */
const quietMs = 15;
/** The server answers requests between slices of this length. */
const sliceMs = 20;

/** A session without folders. */
export function createLanguageSession(deps: SessionDependencies): LanguageSession {
  const { disk } = deps;
  const folders = new Map<string, Folder>();
  const open = new Map<string, OpenDocument>();
  let takeBack: (() => void) | undefined;

  const absoluteOf = (folder: Folder, path: string): string =>
    path.split('/').reduce((absolute, name) => disk.join(absolute, name), folder.root);
  const openDocument = (folder: Folder, path: string): OpenDocument | undefined =>
    open.size === 0 ? undefined : open.get(absoluteOf(folder, path));

  /** The innermost folder that holds a file. */
  const find = (absolute: string): { readonly folder: Folder; readonly path: string } | undefined => {
    let best: { folder: Folder; path: string } | undefined;
    for (const folder of folders.values()) {
      const path = pathWithin(disk, folder.root, absolute);
      if (path !== undefined && (best === undefined || path.length < best.path.length))
        best = { folder, path };
    }
    return best;
  };

  const schedule = (delayMs: number): void => {
    takeBack?.();
    takeBack = deps.later(publishChanges, delayMs);
  };

  const publishChanges = (): void => {
    const started = deps.now();
    for (const folder of folders.values()) {
      if (!folder.isComplete) continue;
      const paths = new Set([...folder.service.paths(), ...folder.published.keys()]);
      const isOpen = (path: string): number => (openDocument(folder, path) === undefined ? 1 : 0);
      for (const path of open.size === 0 ? paths : [...paths].sort((a, b) => isOpen(a) - isOpen(b))) {
        if (deps.now() - started > sliceMs) return schedule(0);
        publishFile(folder, path);
      }
    }
  };

  const publishFile = (folder: Folder, path: string): void => {
    const diagnostics = folder.service.diagnostics(path);
    const before = folder.published.get(path);
    if (before === diagnostics || (before === undefined && diagnostics.length === 0)) return;
    if (diagnostics.length === 0) folder.published.delete(path);
    else folder.published.set(path, diagnostics);
    const document = openDocument(folder, path);
    deps.publish({
      uri: document?.uri ?? deps.uriOf(absoluteOf(folder, path)),
      ...(document !== undefined && { version: document.version }),
      diagnostics: diagnostics.map(toLspDiagnostic),
    });
  };

  const readFromDisk = async (absolute: string): Promise<void> => {
    const found = find(absolute);
    if (found === undefined || open.has(absolute)) return;
    const { folder, path } = found;
    const isFolder = (await disk.readFolder(absolute)) !== undefined;
    if (!isFolder && (await disk.sizeOf(absolute)) === undefined) return forget(folder, path);
    const files = isFolder
      ? await scanFolder(disk, absolute, path, folder.scanning.signal)
      : [await scanFile(disk, absolute, path)];
    takeFiles(folder, files);
  };

  const takeFiles = (folder: Folder, files: readonly ScannedFile[]): void => {
    for (const { path, text } of files) {
      folder.service.setFile(path, openDocument(folder, path)?.text ?? text);
    }
  };

  /** Forgets a file, or all files of a folder. */
  const forget = (folder: Folder, path: string): void => {
    for (const other of [...folder.service.allPaths()]) {
      if (other === path || other.startsWith(`${path}/`)) folder.service.deleteFile(other);
    }
  };

  return {
    async addFolder(uri) {
      const root = deps.pathOf(uri);
      if (root === undefined || folders.has(uri)) return;
      const service = createLanguageService({ uriOf: (path) => deps.uriOf(absoluteOf(folder, path)) });
      const scanning = new AbortController();
      const folder: Folder = { root, service, scanning, published: new Map(), isComplete: false };
      folders.set(uri, folder);
      takeFiles(folder, await scanFolder(disk, root, '', scanning.signal));
      for (const [absolute, { text }] of open) {
        const found = find(absolute);
        if (found?.folder === folder) service.setFile(found.path, text);
      }
      folder.isComplete = true;
      schedule(0);
    },
    removeFolder(uri) {
      const folder = folders.get(uri);
      folders.delete(uri);
      if (folder === undefined) return;
      folder.scanning.abort();
      for (const path of folder.published.keys()) {
        deps.publish({ uri: deps.uriOf(absoluteOf(folder, path)), diagnostics: [] });
      }
    },
    documentChanged(uri, version, text) {
      const absolute = deps.pathOf(uri);
      if (absolute === undefined) return;
      open.set(absolute, { uri, version, text });
      const found = find(absolute);
      found?.folder.service.setFile(found.path, text);
      schedule(quietMs);
    },
    async documentClosed(uri) {
      const absolute = deps.pathOf(uri);
      if (absolute === undefined) return;
      open.delete(absolute);
      await readFromDisk(absolute);
      schedule(quietMs);
    },
    async filesChanged(uris) {
      for (const uri of uris) {
        const absolute = deps.pathOf(uri);
        if (absolute !== undefined) await readFromDisk(absolute);
      }
      schedule(quietMs);
    },
    locate(uri) {
      const absolute = deps.pathOf(uri);
      const found = absolute === undefined ? undefined : find(absolute);
      return found && { service: found.folder.service, path: found.path };
    },
  };
}

/** The path within a folder, with `/`; undefined when it lies outside. */
function pathWithin(disk: Disk, root: string, absolute: string): string | undefined {
  const prefix = disk.join(root, 'x').slice(0, -1);
  return absolute.startsWith(prefix) ? absolute.slice(prefix.length).replaceAll('\\', '/') : undefined;
}
