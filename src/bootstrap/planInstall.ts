import { plumbError } from '../base/plumbError.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { applyStaged, planStaged, type StagedObject } from './applyStaged.ts';
import {
  bootstrappedBy,
  readExistingInstallation,
  requireNoFluxInstance,
  requireOwnInstallation,
} from './existingInstallation.ts';
import { installManifests } from './install.ts';

/** What an installation would write. */
export interface LocalInstallPlan {
  readonly objects: readonly StagedObject[];
  readonly notes: readonly string[];
}

/**
 * Plans a local-mode installation by dry-run. Read-only.
 * Throws ModeForbids where Flux, or another tool's installation of it, is there already, unless `force` is set.
 */
export async function planInstall(
  ctx: RunContext,
  namespace: string,
  force: boolean,
): Promise<LocalInstallPlan> {
  if (!force) await requireRoomForInstall(ctx, namespace);
  const objects = await planStaged(ctx, installManifests(namespace));
  return {
    objects,
    notes: [
      'No controllers are installed: Plumb reconciles while a window or plumb watch runs in local mode.',
      ...(force
        ? ['With force, definitions and rights of an installation that is there are overwritten.']
        : []),
    ],
  };
}

/** Applies the installation. Can be run again at any time. */
export function applyInstall(ctx: RunContext, namespace: string): Promise<readonly StagedObject[]> {
  return applyStaged(ctx, installManifests(namespace));
}

async function requireRoomForInstall(ctx: RunContext, namespace: string): Promise<void> {
  const installation = await readExistingInstallation(ctx, namespace);
  await requireNoFluxInstance(ctx);
  requireOwnInstallation(installation);
  const owner = bootstrappedBy(installation);
  if (owner !== undefined) {
    throw plumbError('ModeForbids', {
      subject: owner,
      message: 'this cluster has already been bootstrapped, its installation comes from Git',
      hint: 'change gotk-components.yaml in that repository, or run plumb bootstrap again',
    });
  }
  const names = installation.controllers.map(({ metadata }) => metadata.name);
  if (names.length > 0) {
    throw plumbError('ModeForbids', {
      subject: `Namespace/${namespace}`,
      message: `Flux is installed already (${names.join(', ')})`,
      hint: 'nothing to install: Plumb shows and previews what these controllers reconcile; --force overwrites their definitions and rights',
    });
  }
}
