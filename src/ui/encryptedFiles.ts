import { basename } from 'node:path';
import * as vscode from 'vscode';
import { asPlumbError } from '../base/plumbError.ts';
import type { DecryptedText, SopsApi } from '../protocol/engine.ts';
import type { Log } from './log.ts';

const scheme = 'plumb-sops';
/** In front of the file's name, so that its tab is not mistaken for the one of the encrypted text. */
const prefix = 'Decrypted ';

/** The editor backs up what is dirty for a second. */
const keepPauseMs = 100;

interface Opened {
  /** As it lies on disk, decrypted. */
  encrypted: DecryptedText;
  /** As it stands in the editor. */
  text: string;
  changedAt: number;
}

/** Files encrypted with SOPS, opened for editing. */
export interface EncryptedFiles {
  /** Opens the plain text of a file in the editor; asks before it encrypts one that is not encrypted. */
  edit(file: vscode.Uri): Promise<void>;
  /** Encrypts the text that is shown into its file. */
  save(): Promise<void>;
  dispose(): void;
}

/** Serves plain text from memory under a scheme of its own. Only a save by the user encrypts it into the file. */
export function provideEncryptedFiles(engine: SopsApi, log: Log): EncryptedFiles {
  return new EncryptedFileSystem(engine, log);
}

/**
 * The editor writes a copy of every dirty document to disk, so none stays dirty: what is typed is kept here at once, and a mark
 * on the tab says that it is not encrypted yet. For the same reason a save that cannot encrypt does not fail; it is told.
 */
class EncryptedFileSystem
  implements EncryptedFiles, vscode.FileSystemProvider, vscode.FileDecorationProvider
{
  readonly #engine: SopsApi;
  readonly #log: Log;
  readonly #opened = new Map<string, Promise<Opened>>();
  /** Documents that the user saves, between "will save" and the write. */
  readonly #saving = new Set<string>();
  /** Documents that are saved here, to keep them. */
  readonly #keeping = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #marked = new vscode.EventEmitter<vscode.Uri>();
  readonly #subscriptions: vscode.Disposable;
  readonly onDidChangeFile = this.#changed.event;
  readonly onDidChangeFileDecorations = this.#marked.event;
  /** The latest state of each, for marks. */
  readonly #states = new Map<string, Opened>();

  constructor(engine: SopsApi, log: Log) {
    this.#engine = engine;
    this.#log = log;
    this.#subscriptions = vscode.Disposable.from(
      this.#changed,
      this.#marked,
      vscode.workspace.registerFileSystemProvider(scheme, this, { isCaseSensitive: true }),
      vscode.window.registerFileDecorationProvider(this),
      vscode.workspace.onWillSaveTextDocument(({ document: { uri }, reason }) => {
        const isByUser =
          reason === vscode.TextDocumentSaveReason.Manual && !this.#keeping.has(uri.toString());
        if (uri.scheme === scheme && isByUser) this.#saving.add(uri.toString());
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === scheme && document.isDirty) this.#keepSoon(document);
      }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { input } of closed)
          if (input instanceof vscode.TabInputText && input.uri.scheme === scheme)
            void this.#tabClosed(input.uri);
      }),
    );
  }

  async edit(file: vscode.Uri): Promise<void> {
    if (!(await this.#engine.isEncrypted(file.fsPath)) && !(await this.#encryptNew(file))) return;
    const uri = decryptedUri(file);
    const { encrypted } = await this.#open(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
    if (encrypted.warning !== undefined) void vscode.window.showWarningMessage(encrypted.warning);
  }

  /**
   * Has the key of the editor's own save, which does nothing while the document is being kept. That one is for menus; it comes
   * as a write.
   */
  async save(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.uri.scheme !== scheme) return;
    const opened = await this.#open(document.uri);
    opened.text = document.getText();
    await this.#encrypt(document.uri, opened);
    this.#marked.fire(document.uri);
  }

  dispose(): void {
    this.#timers.forEach(clearTimeout);
    this.#subscriptions.dispose();
    this.#opened.clear();
    this.#states.clear();
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== scheme || !this.#isPending(uri)) return undefined;
    const color = new vscode.ThemeColor('gitDecoration.modifiedResourceForeground');
    return { badge: '●', tooltip: 'Not encrypted yet: save it', color };
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { text, changedAt } = await this.#open(uri);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: changedAt,
      size: new TextEncoder().encode(text).length,
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return new TextEncoder().encode((await this.#open(uri)).text);
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const opened = await this.#open(uri);
    opened.text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
    opened.changedAt = Math.max(Date.now(), opened.changedAt + 1);
    if (this.#saving.delete(uri.toString())) await this.#encrypt(uri, opened);
    this.#marked.fire(uri);
  }

  readDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.FileNotADirectory(uri);
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  #open(uri: vscode.Uri): Promise<Opened> {
    const key = uri.toString();
    const opened =
      this.#opened.get(key) ??
      this.#engine.decryptFile(pathOf(uri)).then((encrypted): Opened => {
        const state = { encrypted, text: encrypted.text, changedAt: Date.now() };
        this.#states.set(key, state);
        return state;
      });
    this.#opened.set(key, opened);
    // The next try reads the file anew; whoever waits for this one is told.
    opened.catch(() => this.#opened.delete(key));
    return opened;
  }

  /** Into the file; what failed is told and stays in memory. */
  async #encrypt(uri: vscode.Uri, opened: Opened): Promise<boolean> {
    const path = pathOf(uri);
    try {
      opened.encrypted = await this.#engine.saveEncrypted(path, opened.encrypted.digest, opened.text);
    } catch (error) {
      const failure = asPlumbError(error);
      this.#log.error('not encrypted', { ...failure.toJSON() });
      const hint = failure.hint === undefined ? '' : `. ${failure.hint}`;
      void this.#tell(`Plumb: ${failure.message}${hint}`);
      return false;
    }
    vscode.window.setStatusBarMessage(`$(lock) ${basename(path)} encrypted`, 8000);
    return true;
  }

  /** Not awaited: a save must not wait until somebody has read it. */
  async #tell(text: string): Promise<void> {
    const showLog = 'Show Log';
    if ((await vscode.window.showErrorMessage(text, showLog)) === showLog) this.#log.show();
  }

  #isPending(uri: vscode.Uri): boolean {
    const state = this.#states.get(uri.toString());
    return state !== undefined && state.text !== state.encrypted.text;
  }

  #keepSoon(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => {
        this.#timers.delete(key);
        void this.#keep(document);
      }, keepPauseMs),
    );
  }

  /** Without formatters and the like where that is possible: nobody asked for a save. */
  async #keep(document: vscode.TextDocument): Promise<void> {
    if (vscode.window.activeTextEditor?.document === document)
      await vscode.commands.executeCommand('workbench.action.files.saveWithoutFormatting');
    if (!document.isDirty || document.isClosed) return;
    const key = document.uri.toString();
    this.#keeping.add(key);
    try {
      await document.save();
    } finally {
      this.#keeping.delete(key);
    }
  }

  async #tabClosed(uri: vscode.Uri): Promise<void> {
    if (isShown(uri)) return;
    const opened = await this.#opened.get(uri.toString());
    if (opened !== undefined && this.#isPending(uri)) {
      const encrypt = 'Encrypt';
      const discard = 'Discard';
      const answer = await vscode.window.showWarningMessage(
        `${basename(pathOf(uri))} has changes that are not encrypted. Encrypt them into the file?`,
        { modal: true, detail: 'They are nowhere but in the memory of this window.' },
        encrypt,
        discard,
      );
      const isDone = answer === discard || (answer === encrypt && (await this.#encrypt(uri, opened)));
      if (!isDone) return void (await vscode.window.showTextDocument(uri, { preview: false }));
      if (isShown(uri)) return;
    }
    this.#opened.delete(uri.toString());
    this.#states.delete(uri.toString());
    this.#marked.fire(uri);
  }

  /** Asks; false where the user left it as it is. */
  async #encryptNew(file: vscode.Uri): Promise<boolean> {
    const name = basename(file.path);
    const isDirty = vscode.workspace.textDocuments.some(
      (document) => document.uri.toString() === file.toString() && document.isDirty,
    );
    if (isDirty) {
      void vscode.window.showInformationMessage(`${name} has changes that are not saved. Save it first.`);
      return false;
    }
    const encrypt = 'Encrypt';
    const answer = await vscode.window.showWarningMessage(
      `${name} is not encrypted. Encrypt it in its place?`,
      {
        modal: true,
        detail:
          'For the keys that the creation rules of the nearest .sops.yaml name. Its plain text stays in what Git, backups ' +
          'and the local history of the editor hold of it already.',
      },
      encrypt,
    );
    if (answer !== encrypt) return false;
    await this.#engine.encryptFile(file.fsPath);
    return true;
  }
}

function decryptedUri(file: vscode.Uri): vscode.Uri {
  const slash = file.path.lastIndexOf('/') + 1;
  return file.with({ scheme, path: `${file.path.slice(0, slash)}${prefix}${file.path.slice(slash)}` });
}

/** Of the encrypted file. */
function pathOf(uri: vscode.Uri): string {
  const slash = uri.path.lastIndexOf('/') + 1;
  const path = `${uri.path.slice(0, slash)}${uri.path.slice(slash + prefix.length)}`;
  return uri.with({ scheme: 'file', path }).fsPath;
}

function isShown(uri: vscode.Uri): boolean {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}
