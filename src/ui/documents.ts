import * as vscode from 'vscode';
import type { Engine } from '../protocol/engine.ts';

const burstMs = 80;

/** Tells the engine of open YAML documents, unsaved text included, and of files that change on disk. */
export function syncDocuments(engine: Engine): vscode.Disposable {
  const late = new Map<string, NodeJS.Timeout>();
  const send = (document: vscode.TextDocument): void => {
    const uri = document.uri.toString();
    clearTimeout(late.get(uri));
    late.delete(uri);
    engine.documents.change({ uri, version: document.version, text: document.getText() });
  };
  const open = (document: vscode.TextDocument): void => {
    if (isManifest(document))
      engine.documents.open({
        uri: document.uri.toString(),
        version: document.version,
        text: document.getText(),
      });
  };
  vscode.workspace.textDocuments.forEach(open);

  const changedPaths = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const touched = (uri: vscode.Uri): void => {
    if (isGitInternal(uri.path)) return;
    changedPaths.add(uri.fsPath);
    timer ??= setTimeout(() => {
      timer = undefined;
      engine.workspaceChanged([...changedPaths]);
      changedPaths.clear();
    }, burstMs);
  };
  const watcher = vscode.workspace.createFileSystemWatcher('**/*');
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(open),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (!isManifest(document) || contentChanges.length === 0) return;
      const uri = document.uri.toString();
      clearTimeout(late.get(uri));
      late.set(
        uri,
        setTimeout(() => send(document), burstMs),
      );
    }),
    vscode.workspace.onDidSaveTextDocument((document) => {
      if (isManifest(document)) send(document);
      // At once: what a save does must not be planned of the files before it, and the watcher tells of them later.
      if (document.uri.scheme === 'file') engine.workspaceChanged([document.uri.fsPath]);
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      clearTimeout(late.get(document.uri.toString()));
      if (isManifest(document)) engine.documents.close(document.uri.toString());
    }),
    watcher,
    watcher.onDidChange(touched),
    watcher.onDidCreate(touched),
    watcher.onDidDelete(touched),
    { dispose: () => clearTimeout(timer) },
  );
}

/** Tells whether the document is YAML or JSON on disk: only those are previewed unsaved. */
export function isManifest(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' && /\.(ya?ml|json)$|\/Kustomization$/i.test(document.uri.path);
}

/** Of git's own files only those count that say what is checked out. */
function isGitInternal(path: string): boolean {
  return /\/\.git\/(?!(HEAD$|refs\/|packed-refs$))/.test(path);
}
