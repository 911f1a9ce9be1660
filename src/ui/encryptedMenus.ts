import * as vscode from 'vscode';
import { isPlumbError } from '../base/plumbError.ts';
import type { SopsApi } from '../protocol/engine.ts';
import type { Log } from './log.ts';

/** Every file that SOPS encrypted has this word; the engine is asked about no other. */
const marker = 'sops';

/**
 * Offers *Edit Encrypted File* in the menus of files that are encrypted, and of no others: `when` clauses find the paths of
 * open ones in `plumb.encryptedFiles`.
 */
export function showEncryptedMenus(engine: SopsApi, log: Log): vscode.Disposable {
  const encrypted = new Set<string>();
  const tell = (): void =>
    void vscode.commands.executeCommand('setContext', 'plumb.encryptedFiles', [...encrypted]);
  const set = (path: string, isEncrypted: boolean): void => {
    if (encrypted.has(path) === isEncrypted) return;
    if (isEncrypted) encrypted.add(path);
    else encrypted.delete(path);
    tell();
  };
  const look = async (document: vscode.TextDocument): Promise<void> => {
    if (document.uri.scheme !== 'file' || document.isDirty) return;
    const { version } = document;
    const path = document.uri.fsPath;
    try {
      const found = document.getText().includes(marker) && (await engine.isEncrypted(path));
      if (document.version === version && !document.isClosed) set(path, found);
    } catch (error) {
      if (!isPlumbError(error, 'EngineStopped'))
        log.debug('not known whether a file is encrypted', { path, error: String(error) });
    }
  };
  tell();
  vscode.workspace.textDocuments.forEach((document) => void look(document));
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument((document) => void look(document)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => void look(document)),
    vscode.workspace.onDidSaveTextDocument((document) => void look(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => set(uri.fsPath, false)),
  );
}
