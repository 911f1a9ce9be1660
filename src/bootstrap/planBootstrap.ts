import { canonicalJson, isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { sha256Digest } from '../base/digest.ts';
import type { GitRemote } from '../clients/git/gitRemote.ts';
import { publicUrl } from '../clients/git/gitRemote.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../kube/object.ts';
import { planStaged, type StagedObject } from './applyStaged.ts';
import { buildInstallation } from './buildInstallation.ts';
import {
  bootstrapTarget,
  type BootstrapRequest,
  type BootstrapTarget,
  isLoopback,
  normalizedSyncPath,
} from './bootstrapTarget.ts';
import {
  readExistingInstallation,
  requireNoFluxInstance,
  requireOwnInstallation,
} from './existingInstallation.ts';
import { type CommitsPlan, planCommits } from './planCommits.ts';
import { refusedError } from './refusedError.ts';
import { type BootstrapContext, readRepository, remoteOf, type RepositoryState } from './repository.ts';
import { syncManifests, syncRefs } from './syncManifests.ts';
import { planSyncSecret, type SyncSecretPlan } from './syncSecret.ts';

/** Everything one bootstrap will do, with the values behind what is shown. */
export interface BootstrapDraft {
  readonly target: BootstrapTarget;
  readonly remote: GitRemote;
  readonly repository: RepositoryState;
  readonly commits: CommitsPlan;
  /** What will be applied before the sync; empty when the cluster is installed from Git already. */
  readonly installObjects: readonly KubeObject[];
  readonly syncObjects: readonly KubeObject[];
  readonly install: readonly StagedObject[];
  readonly sync: readonly StagedObject[];
  readonly secret?: SyncSecretPlan;
  readonly notes: readonly string[];
}

/**
 * Finds out what a bootstrap has to do: reads the cluster, the repository and, over SSH, the host keys. Writes nothing.
 * Throws InvalidConfiguration, AccessDenied, ModeForbids, NotFound or what cluster and git fail with.
 */
export async function planBootstrap(
  ctx: BootstrapContext,
  request: BootstrapRequest,
): Promise<BootstrapDraft> {
  const target = bootstrapTarget(request);
  const { namespace } = request;
  const installation = await readExistingInstallation(ctx, namespace);
  await requireNoFluxInstance(ctx);
  if (!request.force) requireOwnInstallation(installation);
  const refs = syncRefs(namespace);
  const liveKustomization = await readLive(ctx, refs.kustomization);
  requireSamePath(refs.kustomization, liveKustomization, target);
  const secret = await planSyncSecret(ctx, target);
  const remote = remoteOf(target, secret);
  const repository = await readRepository(ctx, remote, target);
  const manifests = syncManifests(target, secret !== undefined);
  const commits = planCommits(target, repository, manifests, installation.controllers.length > 0);
  const built = buildInstallation(target, repository, commits, manifests);
  const syncObjects = built.sync;
  const installObjects = wasApplied(liveKustomization) ? [] : built.components;
  const staged = await planStaged(ctx, [...installObjects, ...syncObjects]);
  const isSync = ({ ref }: StagedObject): boolean =>
    [refs.source, refs.kustomization].some(({ kind, name }) => ref.kind === kind && ref.name === name);
  return {
    target,
    remote,
    repository,
    commits,
    installObjects,
    syncObjects,
    install: staged.filter((object) => !isSync(object)),
    sync: staged.filter(isSync),
    ...(secret !== undefined && { secret }),
    notes: [
      ...commits.notes,
      ...(await urlNotes(ctx, refs.source, target)),
      ...securityNotes(target, secret),
    ],
  };
}

/** Two drafts with the same digest do the same to the same files and objects; the branch may have moved in between. */
export function draftDigest(draft: BootstrapDraft): string {
  const { commits, install, sync, secret, repository } = draft;
  const files = [commits.components, commits.sync].map((commit) =>
    [...(commit?.files ?? [])].map(([path, content]) => [path, repository.files.get(path) ?? null, content]),
  );
  const action = ({ ref, action: what }: StagedObject): string => `${formatRef(ref)} ${what}`;
  const keys = [secret?.action ?? '', ...(secret?.data.keys() ?? []), ...(secret?.removed ?? [])];
  const objects = [...draft.installObjects, ...draft.syncObjects];
  const trusted = [secret?.deployKey?.publicKey ?? '', ...(secret?.hostKeys ?? []).map(({ line }) => line)];
  return sha256Digest(canonicalJson([files, objects, install.map(action), sync.map(action), keys, trusted]));
}

function requireSamePath(ref: ObjectRef, live: KubeObject | undefined, { path }: BootstrapTarget): void {
  const spec = isJsonObject(live?.['spec']) ? live['spec'] : {};
  const current = spec['path'];
  if (live === undefined || typeof current !== 'string' || normalizedSyncPath(current) === path) return;
  throw plumbError('ModeForbids', {
    subject: formatRef(ref),
    message: `sync path configuration ("./${path}") would overwrite path ("${current}") of existing Kustomization`,
    hint: `this cluster is synced from there: use --path ${normalizedSyncPath(current) || './'}, another --namespace, or delete the Kustomization first`,
  });
}

function wasApplied(kustomization: KubeObject | undefined): boolean {
  const status = isJsonObject(kustomization?.['status']) ? kustomization['status'] : {};
  const revision = status['lastAppliedRevision'];
  return typeof revision === 'string' && revision !== '';
}

/** The live object, or undefined where it or its kind is not there. */
async function readLive(ctx: BootstrapContext, ref: ObjectRef): Promise<KubeObject | undefined> {
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'ok') return answer.value;
  if (answer.refusal.httpStatus === 404) return undefined;
  throw refusedError(ref, 'get', answer.refusal);
}

async function urlNotes(
  ctx: BootstrapContext,
  ref: ObjectRef,
  target: BootstrapTarget,
): Promise<readonly string[]> {
  const live = await readLive(ctx, ref);
  const spec = isJsonObject(live?.['spec']) ? live['spec'] : {};
  const url = spec['url'];
  if (typeof url !== 'string' || url === target.syncUrl) return [];
  return [`${formatRef(ref)} reads ${publicUrl(url)} now and will read ${target.syncUrl}.`];
}

function securityNotes(target: BootstrapTarget, secret: SyncSecretPlan | undefined): readonly string[] {
  const { url, request } = target;
  const notes: string[] = [];
  if (secret?.deployKey?.isNew === true && request.auth.type === 'deployKey')
    notes.push(`Add the deploy key to the repository before you go on; it needs read access only.`);
  if (secret !== undefined && secret.hostKeys.length > 0)
    notes.push(`Compare the host keys with what ${url.hostname} publishes: they are trusted from now on.`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    notes.push(`${url.origin} is plain HTTP: nothing on the way is encrypted.`);
  return notes;
}
