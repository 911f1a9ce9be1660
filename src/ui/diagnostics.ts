import * as vscode from 'vscode';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Engine } from '../protocol/engine.ts';
import { editorRange } from './locationUri.ts';

const severities: Readonly<Record<Diagnostic['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

/** Problems the engine found in what the files build. Those found for an older text of a document are dropped. */
export function showDiagnostics(engine: Engine): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('plumb-rendered');
  return vscode.Disposable.from(
    collection,
    engine.onEvent((event) => {
      if (event.type !== 'diagnosticsChanged') return;
      const uri = vscode.Uri.parse(event.uri);
      const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
      if (event.version !== undefined && document !== undefined && document.version !== event.version) return;
      collection.set(uri, event.diagnostics.map(editorDiagnostic));
    }),
  );
}

function editorDiagnostic({ message, hint, range, severity, code }: Diagnostic): vscode.Diagnostic {
  const text = hint === undefined ? message : `${message} (${hint})`;
  const diagnostic = new vscode.Diagnostic(editorRange(range), text, severities[severity]);
  diagnostic.source = 'plumb';
  diagnostic.code = code;
  return diagnostic;
}
