import type { BootstrapDraft } from '../bootstrap/planBootstrap.ts';
import type { CommitPlan } from '../bootstrap/planCommits.ts';
import { componentsFile } from '../bootstrap/syncManifests.ts';
import { publicUrl } from '../clients/git/gitRemote.ts';
import type { BootstrapPlan, PlannedCommit } from '../protocol/bootstrap.ts';
import type { Installation } from './leases/installation.ts';

/** What of a draft is shown: no value of a Secret, no private key, no generated definitions. */
export function bootstrapPlanView(
  id: string,
  cluster: string,
  draft: BootstrapDraft,
  live: Installation['reconciler'],
): BootstrapPlan {
  const { target, repository, commits, install, sync, secret } = draft;
  const reconciler = live === 'flux' || live === 'unknown' || commits.hasControllers ? 'flux' : 'plumb';
  const planned = [commits.components, commits.sync].filter((commit) => commit !== undefined);
  return {
    id,
    cluster,
    url: publicUrl(target.url.toString()),
    branch: target.request.branch,
    folder: target.folder,
    ...(repository.head !== undefined && { head: repository.head }),
    commits: planned.map((commit) => commitView(commit, repository.files)),
    install,
    sync,
    ...(secret !== undefined && {
      secret: { ref: secret.ref, action: secret.action, keys: [...secret.data.keys()] },
    }),
    ...(secret?.deployKey !== undefined && { deployKey: secret.deployKey }),
    hostKeys: (secret?.hostKeys ?? []).map(({ type, fingerprint }) => ({ type, fingerprint })),
    reconciler,
    isUpToDate:
      planned.length === 0 &&
      (secret === undefined || secret.action === 'unchanged') &&
      [...install, ...sync].every(({ action }) => action === 'unchanged'),
    notes: [
      ...draft.notes,
      ...(reconciler === 'plumb'
        ? ['No controllers are installed: Plumb reconciles while a window or plumb watch runs in local mode.']
        : []),
    ],
  };
}

function commitView(commit: CommitPlan, before: ReadonlyMap<string, string>): PlannedCommit {
  return {
    message: commit.message,
    files: [...commit.files].map(([path, content]) => ({
      path,
      action: before.has(path) ? 'changed' : 'added',
      sizeBytes: Buffer.byteLength(content),
      ...(!path.endsWith(`/${componentsFile}`) && { content }),
    })),
  };
}
