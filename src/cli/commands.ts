import { isCheckout } from '../clients/sandbox/places.ts';
import type { Command } from './command.ts';
import { applyCommand } from './commands/apply.ts';
import { buildCommand } from './commands/build.ts';
import { bootstrapCommand } from './commands/bootstrap.ts';
import { checkCommand } from './commands/check.ts';
import { completionCommand } from './commands/completion.ts';
import { diffCommand } from './commands/diff.ts';
import { downCommand } from './commands/down.ts';
import { eventsCommand } from './commands/events.ts';
import { getCommand } from './commands/get.ts';
import { installCommand } from './commands/install.ts';
import { pruneCommand } from './commands/prune.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { sandboxCommand } from './commands/sandbox.ts';
import { sopsCommand } from './commands/sops.ts';
import { resumeCommand, suspendCommand } from './commands/suspend.ts';
import { traceCommand } from './commands/trace.ts';
import { treeCommand } from './commands/tree.ts';
import { validateCommand } from './commands/validate.ts';
import { uninstallCommand } from './commands/uninstall.ts';
import { versionCommand } from './commands/version.ts';
import { watchCommand } from './commands/watch.ts';

/** Every command, in the order help lists them. */
export const commands: readonly Command[] = [
  getCommand,
  treeCommand,
  traceCommand,
  eventsCommand,
  buildCommand,
  diffCommand,
  applyCommand,
  pruneCommand,
  reconcileCommand,
  suspendCommand,
  resumeCommand,
  watchCommand,
  validateCommand,
  sopsCommand,
  checkCommand,
  bootstrapCommand,
  installCommand,
  downCommand,
  uninstallCommand,
  completionCommand,
  versionCommand,
  // A tool of the repository: an installed CLI has no Go sources to build it from.
  ...(isCheckout() ? [sandboxCommand] : []),
];
