import * as vscode from 'vscode';
import { lineMarks, type MarkStyle } from '../model/driftMarks.ts';
import type { DriftStore } from './driftStore.ts';

const colors: Readonly<Record<MarkStyle, string>> = {
  drifted: 'editorWarning.foreground',
  edited: 'editorCodeLens.foreground',
};

/** Draws the end-of-line marks. While a document is being changed its marks move with the text. */
export function showDriftDecorations(store: DriftStore): vscode.Disposable {
  const types = { drifted: decorationType('drifted'), edited: decorationType('edited') };
  const paint = (editor: vscode.TextEditor): void => {
    const view = store.of(editor.document);
    if (view === undefined) return;
    const marks = lineMarks(view, showsEdited(editor.document.uri), Date.now());
    for (const style of ['drifted', 'edited'] as const)
      editor.setDecorations(
        types[style],
        marks
          .filter((mark) => mark.style === style && mark.line < editor.document.lineCount)
          .map(({ line, text }) => ({
            range: editor.document.lineAt(line).range,
            renderOptions: { after: { contentText: text } },
          })),
      );
  };
  const paintAll = (uri?: vscode.Uri): void => {
    for (const editor of vscode.window.visibleTextEditors)
      if (uri === undefined || editor.document.uri.toString() === uri.toString()) paint(editor);
  };
  return vscode.Disposable.from(
    types.drifted,
    types.edited,
    store.onDidChange(paintAll),
    vscode.window.onDidChangeVisibleTextEditors(() => paintAll()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('plumb.drift')) paintAll();
    }),
  );
}

function decorationType(style: MarkStyle): vscode.TextEditorDecorationType {
  const color = new vscode.ThemeColor(colors[style]);
  return vscode.window.createTextEditorDecorationType({
    after: { margin: '0 0 0 3em', color, fontStyle: 'italic' },
    overviewRulerColor: color,
    overviewRulerLane: vscode.OverviewRulerLane.Right,
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
}

/** Whether fields that only the files changed get marks as well. */
export function showsEdited(uri: vscode.Uri): boolean {
  return vscode.workspace.getConfiguration('plumb', uri).get<boolean>('drift.showEdited', false);
}
