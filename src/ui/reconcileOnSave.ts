import * as vscode from 'vscode';
import { asPlumbError } from '../base/plumbError.ts';
import { formatRef, type ObjectRef } from '../kube/object.ts';
import type { PlanView } from '../protocol/views.ts';
import type { UiContext } from './commands/commandContext.ts';
import { isManifest } from './documents.ts';
import {
  branchOfHead,
  consentState,
  decideOnSave,
  newConsent,
  workloadsOfFile,
  type SaveConsent,
  type SaveMode,
  type SaveSituation,
} from './model/reconcileOnSave.ts';
import { diffSummary } from './model/planText.ts';
import { runText, runWarning } from './model/runText.ts';

const memoryKey = (folder: vscode.WorkspaceFolder): string => `plumb.onSave:${folder.uri.toString()}`;

/** Off, preview or apply for each folder. What the user chose is kept with the workspace, never in its settings. */
export class ReconcileOnSave {
  readonly #ctx: UiContext;
  readonly #memory: vscode.Memento;
  readonly #item = vscode.window.createStatusBarItem('plumb.onSave', vscode.StatusBarAlignment.Left, 49);
  readonly #subscriptions: vscode.Disposable;
  /** Documents whose save the user asked for, between "will save" and "did save". */
  readonly #manual = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #planning: AbortController | undefined;

  constructor(ctx: UiContext, memory: vscode.Memento) {
    this.#ctx = ctx;
    this.#memory = memory;
    this.#item.name = 'Plumb: reconcile on save';
    this.#item.command = 'plumb.setReconcileOnSave';
    this.#subscriptions = vscode.Disposable.from(
      this.#item,
      vscode.workspace.onWillSaveTextDocument(({ document, reason }) => {
        const isFocused = vscode.window.activeTextEditor?.document === document;
        if (reason === vscode.TextDocumentSaveReason.Manual && isFocused && isManifest(document))
          this.#manual.add(document.uri.toString());
      }),
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (this.#manual.delete(document.uri.toString())) this.#saved(document);
      }),
      ctx.state.onDidChange(() => void this.#review()),
    );
    void this.#review();
  }

  /** Asks for folder and mode; apply is agreed to in a dialog that names the cluster. */
  async choose(): Promise<void> {
    const folder = await pickFolder();
    if (folder === undefined) return;
    const now = (this.#consentOf(folder)?.mode ?? 'off') satisfies SaveMode;
    const item = (mode: SaveMode, label: string, detail: string) => ({
      label,
      detail,
      mode,
      ...(mode === now && { description: 'now' }),
    });
    const picked = await vscode.window.showQuickPick(
      [
        item('off', 'Off', 'A save changes files only.'),
        item('preview', 'Preview', 'After a save, show what an apply would change in the cluster.'),
        item(
          'apply',
          'Apply',
          'After a save, apply creates and changes; everything else stops at the preview.',
        ),
      ],
      { title: `When a manifest in ${folder.name} is saved` },
    );
    if (picked === undefined) return;
    await this.#set(folder, picked.mode);
  }

  dispose(): void {
    this.#planning?.abort();
    this.#subscriptions.dispose();
  }

  async #set(folder: vscode.WorkspaceFolder, mode: SaveMode): Promise<void> {
    if (mode === 'off') {
      await this.#memory.update(memoryKey(folder), undefined);
      return this.#review();
    }
    const consent = newConsent(mode, await this.#situation(folder));
    if (consent === undefined) {
      void vscode.window.showWarningMessage(
        'There is no cluster that can be reached and told from others, so nothing can be compared on save.',
      );
      return;
    }
    if (mode === 'apply' && !(await confirmApply(folder, consent))) return;
    await this.#memory.update(memoryKey(folder), consent);
    await this.#review();
  }

  #consentOf(folder: vscode.WorkspaceFolder): SaveConsent | undefined {
    return this.#memory.get<SaveConsent>(memoryKey(folder));
  }

  async #situation(folder: vscode.WorkspaceFolder): Promise<SaveSituation> {
    return { status: this.#ctx.state.status, branch: await branchOf(folder) };
  }

  /** Ends consents that no longer hold, and shows those that do. */
  async #review(): Promise<void> {
    const active: string[] = [];
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      const consent = this.#consentOf(folder);
      if (consent === undefined) continue;
      const state = consentState(consent, await this.#situation(folder));
      if (state.type === 'ended') await this.#end(folder, state.why);
      else active.push(`${consent.mode} on save → ${consent.context}`);
    }
    if (active.length === 0) return this.#item.hide();
    this.#item.text = `$(save) ${active.join(', ')}`;
    this.#item.tooltip = 'What Plumb does when a manifest is saved. Click to change.';
    this.#item.show();
  }

  async #end(folder: vscode.WorkspaceFolder, why: string): Promise<void> {
    await this.#memory.update(memoryKey(folder), undefined);
    this.#ctx.log.info('reconcile on save is off again', { folder: folder.name, why });
    void vscode.window.showInformationMessage(
      `Plumb: reconcile on save is off again for ${folder.name}: ${why}.`,
    );
  }

  /** A newer save takes the place of one that is still being planned; an apply that has begun is finished first. */
  #saved(document: vscode.TextDocument): void {
    const folder = vscode.workspace.getWorkspaceFolder(document.uri);
    if (folder === undefined || this.#consentOf(folder) === undefined) return;
    this.#planning?.abort();
    const controller = (this.#planning = new AbortController());
    this.#running = this.#running.then(async () => {
      try {
        await this.#reconcile(folder, document, controller.signal);
      } catch (error) {
        const failure = asPlumbError(error);
        if (controller.signal.aborted) return;
        this.#ctx.log.error('reconcile on save failed', { ...failure.toJSON() });
        void vscode.window.showErrorMessage(`Plumb, on save: ${failure.message}`);
      }
    });
  }

  async #reconcile(
    folder: vscode.WorkspaceFolder,
    document: vscode.TextDocument,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, state } = this.#ctx;
    await state.refresh();
    const consent = this.#consentOf(folder);
    if (consent === undefined || signal.aborted) return;
    const held = consentState(consent, await this.#situation(folder));
    if (held.type === 'ended') return this.#end(folder, held.why);
    if (held.type === 'paused') {
      vscode.window.setStatusBarMessage(`$(debug-pause) Plumb, on save: ${held.why}`, 8000);
      return;
    }
    const drift = await engine.drift(document.uri.toString(), { signal });
    const path = vscode.workspace.asRelativePath(document.uri, false);
    const workloads = workloadsOfFile(path, state.tree?.workloads ?? [], drift);
    for (const ref of workloads) {
      if (signal.aborted) return;
      await this.#reconcileWorkload(consent, ref, signal);
    }
  }

  async #reconcileWorkload(consent: SaveConsent, ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const { engine, plans, log } = this.#ctx;
    const plan = await engine.plan(ref, 'workingTree', { signal });
    plans.keep(plan);
    const decision = decideOnSave(consent.mode, plan);
    switch (decision.type) {
      case 'nothing':
        return;
      case 'preview':
        if (decision.why.length > 0)
          log.warn('not applied on save', { ref: formatRef(ref), why: decision.why });
        return this.#offerPreview(plan, decision.why);
      case 'apply': {
        if (signal.aborted) return;
        const run = await engine.apply(plan.id);
        const warning = runWarning(run);
        if (!run.ready) void vscode.window.showErrorMessage(`Plumb, on save: ${runText(run)}`);
        else if (warning !== undefined) void vscode.window.showWarningMessage(`Plumb, on save: ${warning}`);
        else vscode.window.setStatusBarMessage(`$(pass) applied on save: ${runText(run)}`, 8000);
      }
    }
  }

  /** Not awaited: the next save must not wait until somebody has read this one's message. */
  #offerPreview(plan: PlanView, why: readonly string[]): void {
    const show = 'Show Differences';
    const text = `${diffSummary(plan)}${why.length === 0 ? '' : `. Not applied: ${why[0]}`}`;
    const asked =
      why.length === 0
        ? vscode.window.showInformationMessage(text, show, 'Apply…')
        : vscode.window.showWarningMessage(text, show);
    void asked.then(async (answer) => {
      if (answer === show) await this.#ctx.plans.showDiff(plan);
      else if (answer !== undefined) await vscode.commands.executeCommand('plumb.apply', plan.ref);
    });
  }
}

async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length <= 1) return folders[0];
  return vscode.window.showWorkspaceFolderPick({ placeHolder: 'The folder whose manifests are saved' });
}

async function confirmApply(folder: vscode.WorkspaceFolder, consent: SaveConsent): Promise<boolean> {
  const button = 'Apply on Save';
  const answer = await vscode.window.showWarningMessage(
    `Apply to the cluster ${consent.context} whenever a manifest in ${folder.name} is saved?`,
    {
      modal: true,
      detail:
        'Only a save you make yourself of the document you are in counts, and only creates and changes that the ' +
        'server accepts are written. Deletions, re-creations and errors stop at the preview. It is off again when ' +
        `the branch (${consent.branch ?? 'none'}), the context or the cluster changes.`,
    },
    button,
  );
  return answer === button;
}

/** The branch that is checked out; worktrees keep their HEAD elsewhere. */
async function branchOf(folder: vscode.WorkspaceFolder): Promise<string | undefined> {
  const git = vscode.Uri.joinPath(folder.uri, '.git');
  const link = /^gitdir: (.+)$/m.exec((await textOf(git)) ?? '')?.[1];
  const head =
    link === undefined
      ? vscode.Uri.joinPath(git, 'HEAD')
      : vscode.Uri.joinPath(
          link.startsWith('/') ? vscode.Uri.file(link) : vscode.Uri.joinPath(folder.uri, link),
          'HEAD',
        );
  return branchOfHead((await textOf(head)) ?? '');
}

async function textOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    // No such file, or a folder: there is no branch to tell.
    return undefined;
  }
}
