import type { Command } from './command.ts';
import { versionCommand } from './commands/version.ts';

/** Every command, in the order help lists them. */
export const commands: readonly Command[] = [versionCommand];
