import * as vscode from 'vscode';
import { asPlumbError } from '../../base/plumbError.ts';
import { chooseCluster } from './chooseContext.ts';
import type { Command, CommandContext } from './commandContext.ts';
import {
  copyName,
  reconcile,
  reconcileWithSource,
  resume,
  setMode,
  setRevert,
  suspend,
} from './fluxCommands.ts';
import { bootstrap, check, leaveLocalMode, uninstall } from './setupCommands.ts';
import { endOverride, override } from './overrideCommands.ts';
import { refreshShown } from '../views/fluxTree.ts';
import { apply, prune, showDifferences, showObject } from './planCommands.ts';

/** Every command that package.json contributes; a test compares the two. */
const commands: Readonly<Record<string, Command>> = {
  'plumb.apply': apply,
  'plumb.bootstrap': bootstrap,
  'plumb.check': check,
  'plumb.chooseCluster': chooseCluster,
  'plumb.copyName': copyName,
  'plumb.diff': showDifferences,
  'plumb.editEncryptedFile': editEncryptedFile,
  'plumb.endOverride': endOverride,
  'plumb.forgetCredentials': (ctx) => ctx.credentials.forget(),
  'plumb.leaveLocalMode': leaveLocalMode,
  'plumb.override': override,
  'plumb.prune': prune,
  'plumb.reconcile': reconcile,
  'plumb.reconcileWithSource': reconcileWithSource,
  'plumb.refresh': (ctx) => refreshShown(ctx.state),
  'plumb.restartEngine': async (ctx) => {
    await ctx.engine.restart();
    await refreshShown(ctx.state);
  },
  'plumb.resume': resume,
  'plumb.saveEncryptedFile': (ctx) => ctx.encryptedFiles.save(),
  'plumb.setMode': setMode,
  'plumb.setReconcileOnSave': (ctx) => ctx.onSave.choose(),
  'plumb.setRevert': setRevert,
  'plumb.showLog': async (ctx) => ctx.log.show(),
  'plumb.showObject': showObject,
  'plumb.suspend': suspend,
  'plumb.uninstall': uninstall,
};

/** The plain text of the file that is shown, or that a menu was opened on. */
async function editEncryptedFile(ctx: CommandContext, argument: unknown): Promise<void> {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme === 'file') return ctx.encryptedFiles.edit(uri);
  void vscode.window.showInformationMessage('Open the encrypted file first, then edit it.');
}

/** Registers them. A failure is shown with what the user can do about it; a cancelled one is not. */
export function registerCommands(ctx: CommandContext): vscode.Disposable {
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([id, command]) =>
      vscode.commands.registerCommand(id, async (argument: unknown) => {
        try {
          await command(ctx, argument);
        } catch (error) {
          await showFailure(ctx, id, error);
        }
      }),
    ),
  );
}

async function showFailure(ctx: CommandContext, id: string, error: unknown): Promise<void> {
  const failure = asPlumbError(error);
  if (failure.kind === 'cancelled') return;
  ctx.log.error('command failed', { command: id, ...failure.toJSON() });
  const text = failure.hint === undefined ? failure.message : `${failure.message}. ${failure.hint}`;
  const showLog = 'Show Log';
  if ((await vscode.window.showErrorMessage(`Plumb: ${text}`, showLog)) === showLog) ctx.log.show();
}
