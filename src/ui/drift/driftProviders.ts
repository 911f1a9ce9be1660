import * as vscode from 'vscode';
import { formatRef } from '../../kube/object.ts';
import type { DriftMark } from '../../protocol/views.ts';
import { hoverDiff, hoverRows, lenses, lineMarks } from '../model/driftMarks.ts';
import { plainMarkdown } from '../model/plainMarkdown.ts';
import { takeLive } from '../model/takeLive.ts';
import { valueText } from '../model/planText.ts';
import { editorRange } from '../locationUri.ts';
import { showsEdited } from './driftDecorations.ts';
import type { DriftStore } from './driftStore.ts';

const selector: vscode.DocumentSelector = [
  { scheme: 'file', language: 'yaml' },
  { scheme: 'file', language: 'json' },
];

/** Hover, code actions and lenses for drift. They appear only while the marks fit the text. */
export function registerDriftProviders(store: DriftStore): vscode.Disposable {
  const lensesChanged = new vscode.EventEmitter<void>();
  return vscode.Disposable.from(
    lensesChanged,
    store.onDidChange(() => lensesChanged.fire()),
    vscode.languages.registerHoverProvider(selector, {
      provideHover: (document, position) => hoverOf(marksAt(store, document, position.line, position.line)),
    }),
    vscode.languages.registerCodeActionsProvider(
      selector,
      {
        provideCodeActions: (document, range) =>
          marksAt(store, document, range.start.line, range.end.line).flatMap((mark) =>
            actionsOf(document, mark),
          ),
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
    vscode.languages.registerCodeLensProvider(selector, {
      onDidChangeCodeLenses: lensesChanged.event,
      provideCodeLenses: (document) => {
        const view = store.of(document);
        return (view === undefined ? [] : lenses(view)).map(
          ({ range, title, command, workload }) =>
            new vscode.CodeLens(editorRange(range), { title, command, arguments: [workload] }),
        );
      },
    }),
  );
}

function marksAt(
  store: DriftStore,
  document: vscode.TextDocument,
  first: number,
  last: number,
): readonly DriftMark[] {
  const view = store.of(document);
  if (view === undefined) return [];
  return lineMarks(view, showsEdited(document.uri), Date.now())
    .filter(({ line }) => line >= first && line <= last)
    .flatMap(({ marks }) => marks);
}

/** Untrusted markdown: values come from a cluster and stay text. */
function hoverOf(marks: readonly DriftMark[]): vscode.Hover | undefined {
  if (marks.length === 0) return undefined;
  const parts = marks.map((mark) => {
    const markdown = new vscode.MarkdownString();
    markdown.appendCodeblock(hoverDiff(mark), 'diff');
    for (const [name, value] of hoverRows(mark, Date.now())) {
      const text = new vscode.MarkdownString().appendText(value).value;
      markdown.appendMarkdown(`**${name}** ${plainMarkdown(text)}  \n`);
    }
    return markdown;
  });
  return new vscode.Hover(parts);
}

function actionsOf(document: vscode.TextDocument, mark: DriftMark): vscode.CodeAction[] {
  const object = formatRef(mark.ref);
  const revert = new vscode.CodeAction(`Revert the cluster to Git: apply ${mark.workload.name}…`);
  revert.kind = vscode.CodeActionKind.QuickFix;
  revert.command = { command: 'plumb.apply', title: revert.title, arguments: [mark.workload] };
  const diff = new vscode.CodeAction(`Show the differences of ${object}`);
  diff.kind = vscode.CodeActionKind.QuickFix;
  diff.command = {
    command: 'plumb.diff',
    title: diff.title,
    arguments: [{ workload: mark.workload, object: mark.ref }],
  };
  return [revert, ...takeLiveAction(document, mark), diff];
}

function takeLiveAction(document: vscode.TextDocument, mark: DriftMark): vscode.CodeAction[] {
  const range = editorRange(mark.range);
  const result = takeLive(mark, document.getText(range));
  const title = `Take the live value ${valueText(mark.field.live)} into Git`;
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  if (result.type === 'refused') {
    if (mark.field.live === undefined) return [];
    action.disabled = { reason: result.why };
    return [action];
  }
  action.edit = new vscode.WorkspaceEdit();
  action.edit.replace(document.uri, range, result.newText);
  return [action];
}
