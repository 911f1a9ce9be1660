import { CodeActionKind, type CodeAction } from 'vscode-languageserver-types';
import type { Diagnostic } from '../base/diagnostic.ts';

/** The edit that a diagnostic's hint proposes, where it proposes one. */
export function quickFixOf(diagnostic: Diagnostic, uri: string): CodeAction | undefined {
  const newText = replacementOf(diagnostic);
  if (newText === undefined) return undefined;
  return {
    title: `Replace with ${newText}`,
    kind: CodeActionKind.QuickFix,
    isPreferred: true,
    edit: { changes: { [uri]: [{ range: diagnostic.range, newText }] } },
  };
}

/** Hints that name the whole replacement end in one of these forms. */
function replacementOf({ code, hint }: Diagnostic): string | undefined {
  if (hint === undefined) return undefined;
  const near = /^did you mean (\S+)\?$/.exec(hint)?.[1];
  if (near !== undefined) return near;
  if (code === 'removed-api-version' || code === 'unknown-kind') {
    return /^use apiVersion (\S+)$/.exec(hint)?.[1];
  }
  return code === 'wrong-type' ? /^(?:quote it|remove the quotes): (.+)$/.exec(hint)?.[1] : undefined;
}
