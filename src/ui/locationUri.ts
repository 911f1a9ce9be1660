import * as vscode from 'vscode';
import type { Range } from '../base/position.ts';
import type { SourceLocation } from '../protocol/views.ts';

/** The document that a location of the engine lies in. Its folder is an absolute path or a URI. */
export function locationUri(location: SourceLocation): vscode.Uri {
  const folder = /^[a-z][a-z0-9+.-]+:/i.test(location.folder)
    ? vscode.Uri.parse(location.folder)
    : vscode.Uri.file(location.folder);
  return vscode.Uri.joinPath(folder, location.path);
}

/** A range of the engine as the editor's own. */
export function editorRange(range: Range): vscode.Range {
  return new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
}
