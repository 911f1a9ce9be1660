import type * as vscode from 'vscode';
import { startUi } from './ui/startUi.ts';

/** Called once by the editor. Everything it opens hangs on the context and ends with the window. */
export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(startUi(context));
}
