import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolderOf } from '../../base/cacheFolder.ts';
import { plumbError } from '../../base/plumbError.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Plumb's cache folder for the user of this process. */
export function cacheFolder(env: Environment = process.env): string {
  return cacheFolderOf(env, homedir());
}

/** The sandbox that is meant when none is named. */
export const defaultSandboxName = 'default';

/**
 * The checkout of Plumb's repository that this code runs from; the sandbox is a tool of the checkout.
 * Throws NotFound in an installed extension or CLI, which carries no Go sources.
 */
export function checkoutFolder(): string {
  const folder = findCheckout(import.meta.dirname);
  if (folder !== undefined) return folder;
  throw plumbError('NotFound', {
    message: 'the sandbox is built from its Go sources, which are not here',
    hint: 'use it in a checkout of the Plumb repository; outside of one any cluster will do, kind for example',
  });
}

/** Whether this code runs from a checkout, where commands for developers are offered. */
export function isCheckout(): boolean {
  return findCheckout(import.meta.dirname) !== undefined;
}

function findCheckout(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'sandbox', 'go.mod'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
