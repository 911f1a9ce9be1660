import { sha256Digest } from '../../base/digest.ts';
import type { FileTree } from '../../base/fileTree.ts';
import { canonicalJson, equalJson, type JsonValue } from '../../base/json.ts';
import type { FetchedCommit, GitSelector } from '../../clients/git/gitClient.ts';
import type { GitRemote } from '../../clients/git/gitRemote.ts';
import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import type { GitRepository } from '../../flux/api/source.gen.ts';
import { conditionStatus, type SummaryRule } from '../../flux/conditions.ts';
import { refOf, type ObjectRef } from '../../kube/object.ts';
import type { RunOutcome } from '../../ssa/runOutcome.ts';
import { describeArtifact } from './artifactStore.ts';
import { clusterHostHint } from './clusterHost.ts';
import { checkoutFiles, refChoice, revisionOf } from './gitCheckout.ts';
import { gitRemoteOf } from './gitAuth.ts';
import { observeIncludes, resolveIncludes, withIncludes, type Included } from './gitIncludes.ts';
import type { SourceContext } from './sourceContext.ts';
import { attempt, reconcileSource, type SourceKind, type SourceRun, type StepResult } from './sourceRun.ts';

const summary: SummaryRule = {
  target: 'Ready',
  types: [
    'StorageOperationFailed',
    'FetchFailed',
    'IncludeUnavailable',
    'ArtifactOutdated',
    'ArtifactInStorage',
    'SourceVerified',
    'Stalled',
    'Reconciling',
  ],
  negative: [
    'StorageOperationFailed',
    'FetchFailed',
    'IncludeUnavailable',
    'ArtifactOutdated',
    'Stalled',
    'Reconciling',
  ],
};

/** Fetches what a GitRepository names and stores it as an artifact. Follows source-controller 1.9 (contract 2.2 to 2.4). */
export function reconcileGitRepository(ctx: SourceContext, ref: ObjectRef): Promise<RunOutcome> {
  let subject = '';
  const kind: SourceKind<GitRepository> = {
    summary,
    failures: ['FetchFailed', 'IncludeUnavailable', 'StorageOperationFailed'],
    run: (context, run) =>
      fetchAndStore(context, run, (message) => {
        subject = message;
      }),
    storedMessage: (run) =>
      `stored artifact for commit '${subject || (run.object.status?.artifact?.revision ?? '')}'`,
  };
  return reconcileSource(ctx, ref, kind);
}

type Run = SourceRun<GitRepository>;

async function fetchAndStore(
  ctx: SourceContext,
  run: Run,
  describe: (message: string) => void,
): Promise<StepResult> {
  if (run.object.status?.artifact === undefined) {
    run.progress('building artifact', true);
    run.remove('ArtifactInStorage');
    await run.flush();
  }
  if (conditionStatus(run.conditions, 'SourceVerified') === 'False') run.remove('SourceVerified');
  const unsupported = unsupportedField(run.object);
  if (unsupported !== undefined) return fetchFailed(run, 'stalled', unsupported.reason, unsupported.message);

  const remote = await attempt(() => gitRemoteOf(ctx, run.object));
  if (!remote.ok) return fetchFailed(run, 'failed', 'AuthenticationFailed', remote.message, remote.hint);
  const includes = await resolveIncludes(ctx, run.object);
  if ('type' in includes) {
    const { reason, message } = includes as Extract<StepResult, { type: 'waiting' }>;
    run.set({ type: 'IncludeUnavailable', status: 'True', reason, message });
    return includes;
  }
  await observeIncludes(run, includes);

  const fetched = await attempt(() => fetchCommit(ctx, remote.value, run.object));
  if (!fetched.ok) {
    const message = `failed to checkout and determine revision: ${fetched.message}`;
    const hint = clusterHostHint(run.object.spec.url) ?? fetched.hint;
    return fetchFailed(run, 'failed', 'GitOperationFailed', message, hint);
  }
  if (fetched.value === undefined)
    return fetchFailed(run, 'failed', 'EmptyGitRepository', 'git repository is empty');
  describe(shortMessage(fetched.value.commit.message));
  return storeArtifact(ctx, run, remote.value, fetched.value, includes);
}

/** What the object asks for and Plumb cannot do yet: refused rather than passed over. */
function unsupportedField({ spec }: GitRepository): { reason: string; message: string } | undefined {
  if (spec.provider !== undefined && spec.provider !== 'generic')
    return {
      reason: 'InvalidProviderConfiguration',
      message: `spec.provider '${spec.provider}' is not supported by Plumb yet: use a secretRef with user name and token`,
    };
  if (spec.verify !== undefined)
    return {
      reason: 'VerificationError',
      message: 'spec.verify is not supported by Plumb yet, and nothing unverified is taken in its place',
    };
  if (refChoice(spec).type === 'semver')
    return {
      reason: 'GitOperationFailed',
      message: 'spec.ref.semver is not supported by Plumb yet: name a tag or a branch',
    };
  return undefined;
}

interface Fetched {
  readonly commit: FetchedCommit;
  readonly selector: GitSelector;
}

async function fetchCommit(
  ctx: SourceContext,
  remote: GitRemote,
  object: GitRepository,
): Promise<Fetched | undefined> {
  const selector = refChoice(object.spec) as GitSelector;
  try {
    return { commit: await ctx.git.fetch(remote, selector, ctx.signal), selector };
  } catch (error) {
    if ((await ctx.git.listRefs(remote, [], ctx.signal)).size === 0) return undefined;
    throw error;
  }
}

async function storeArtifact(
  ctx: SourceContext,
  run: Run,
  remote: GitRemote,
  { commit, selector }: Fetched,
  includes: readonly Included[],
): Promise<StepResult> {
  const { object } = run;
  const revision = revisionOf(selector, commit.hash);
  const contentKey = contentKeyOf(object, includes);
  const isUpToDate =
    object.status?.artifact?.revision === revision && !hasContentConfigChanged(object, includes);
  const inStorage = (): void =>
    run.set({
      type: 'ArtifactInStorage',
      status: 'True',
      reason: 'Succeeded',
      message: `stored artifact for revision '${revision}'`,
    });
  const stored = ctx.artifacts.get(refOf(object));
  const isStored = stored?.revision === revision && stored.contentKey === contentKey;
  const wasPolled =
    selector.type !== 'commit' && conditionStatus(run.conditions, 'ArtifactInStorage') === 'True';
  if (isUpToDate && isStored) {
    run.remove('FetchFailed');
    run.remove('ArtifactOutdated');
    inStorage();
    return wasPolled
      ? {
          type: 'unchanged',
          reason: 'GitOperationSucceeded',
          message: `no changes since last reconciliation: observed revision '${revision}'`,
        }
      : {
          type: 'unchanged',
          reason: 'ArtifactUpToDate',
          message: `artifact up-to-date with remote revision: '${revision}'`,
        };
  }
  const files = await attempt(() => checkoutAll(ctx, remote, commit, object, includes));
  if (!files.ok) return fetchFailed(run, 'failed', 'GitOperationFailed', files.message, files.hint);
  run.remove('FetchFailed');
  if (object.status?.artifact?.revision !== revision) {
    const message = `new upstream revision '${revision}'`;
    if (object.status?.artifact !== undefined)
      run.set({ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message });
    run.progress(`building artifact: ${message}`, true);
    await run.flush();
  }
  run.remove('IncludeUnavailable');
  const artifact = isUpToDate
    ? (object.status?.artifact as FetchedArtifact)
    : await describeArtifact(object, ctx.runtimeNamespace, ctx.clock.now(), {
        revision,
        fileName: `${commit.hash}.tar.gz`,
        files: files.value,
      });
  ctx.artifacts.set(refOf(object), { revision, digest: artifact.digest, files: files.value, contentKey });
  run.setStatus({
    artifact,
    includedArtifacts: emptyAsUndefined(includes.map(({ artifact: included }) => included)),
    observedIgnore: object.spec.ignore,
    observedRecurseSubmodules: object.spec.recurseSubmodules === true ? true : undefined,
    observedInclude: emptyAsUndefined(object.spec.include ?? []),
    observedSparseCheckout: emptyAsUndefined(object.spec.sparseCheckout ?? []),
    sourceVerificationMode: undefined,
  });
  run.remove('SourceVerified');
  run.remove('ArtifactOutdated');
  inStorage();
  return { type: 'succeeded' };
}

async function checkoutAll(
  ctx: SourceContext,
  remote: GitRemote,
  commit: FetchedCommit,
  { spec }: GitRepository,
  includes: readonly Included[],
): Promise<FileTree> {
  const own = await checkoutFiles(ctx.git, remote, commit, {
    ...(spec.ignore !== undefined && { ignore: spec.ignore }),
    ...(spec.sparseCheckout !== undefined && { sparseCheckout: spec.sparseCheckout }),
    recurseSubmodules: spec.recurseSubmodules === true,
    signal: ctx.signal,
  });
  return withIncludes(own, includes);
}

function hasContentConfigChanged({ spec, status }: GitRepository, includes: readonly Included[]): boolean {
  const isSame = (left: unknown, right: unknown): boolean =>
    equalJson((left ?? []) as JsonValue, (right ?? []) as JsonValue);
  return !(
    spec.ignore === status?.observedIgnore &&
    (spec.recurseSubmodules ?? false) === (status?.observedRecurseSubmodules ?? false) &&
    isSame(spec.include, status?.observedInclude) &&
    isSame(spec.sparseCheckout, status?.observedSparseCheckout) &&
    includes.length === (status?.includedArtifacts ?? []).length &&
    includes.every(({ artifact }, index) => status?.includedArtifacts?.[index]?.digest === artifact.digest)
  );
}

function contentKeyOf({ spec }: GitRepository, includes: readonly Included[]): string {
  const { ignore, recurseSubmodules, sparseCheckout, include } = spec;
  const digests = includes.map(({ artifact }) => artifact.digest);
  return sha256Digest(
    canonicalJson({
      ignore,
      recurseSubmodules,
      sparseCheckout,
      include: include as JsonValue | undefined,
      digests,
    }),
  );
}

function fetchFailed(
  run: Run,
  type: 'failed' | 'stalled',
  reason: string,
  message: string,
  hint?: string,
): StepResult {
  run.set({ type: 'FetchFailed', status: 'True', reason, message });
  return { type, reason, message, ...(hint !== undefined && { hint }) };
}

/** The first line, at most 50 characters, as Flux shows a commit. */
function shortMessage(message: string): string {
  const line = message.split('\n')[0] ?? '';
  const characters = [...line];
  return characters.length > 50 ? `${characters.slice(0, 50).join('')}...` : line;
}

function emptyAsUndefined<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
