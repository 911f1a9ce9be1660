import { isCheckout } from '../clients/sandbox/places.ts';
import type { Command } from './command.ts';
import { sandboxCommand } from './commands/sandbox.ts';
import { versionCommand } from './commands/version.ts';

/** Every command, in the order help lists them. */
export const commands: readonly Command[] = [versionCommand, ...(isCheckout() ? [sandboxCommand] : [])];
