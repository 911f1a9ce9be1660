import { DiagnosticSeverity, type Diagnostic as LspDiagnostic } from 'vscode-languageserver-types';
import type { Diagnostic, Severity } from '../base/diagnostic.ts';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const pages = 'https://github.com/plumb-gitops/plumb/blob/main/docs/diagnostics';

/** A diagnostic as editors take it, with a link to the page of its code. */
export function toLspDiagnostic({ code, severity, message, range, hint }: Diagnostic): LspDiagnostic {
  return {
    range,
    severity: severities[severity],
    source: 'plumb',
    code,
    codeDescription: { href: `${pages}/${code}.md` },
    message: hint === undefined ? message : `${message}\n${hint}`,
  };
}
