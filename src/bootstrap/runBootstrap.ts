import { isPlumbError, plumbError } from '../base/plumbError.ts';
import { applyStaged, summarizeStaged } from './applyStaged.ts';
import { type BootstrapDraft, draftDigest, planBootstrap } from './planBootstrap.ts';
import type { CommitPlan } from './planCommits.ts';
import { type BootstrapContext, readRepository } from './repository.ts';
import { applySyncSecret } from './syncSecret.ts';

export type BootstrapStep = 'components' | 'install' | 'secret' | 'manifests' | 'sync';

/** How far the run is; `message` says what came of the step. */
export type ReportStep = (
  step: BootstrapStep,
  state: 'started' | 'done' | 'skipped' | 'failed',
  message: string,
) => void;

export interface BootstrapOutcome {
  /** Pushed by this run. */
  readonly commits: readonly { readonly message: string; readonly hash: string }[];
  /** The branch's commit that the cluster should be reconciled to. */
  readonly head: string;
}

const pushTries = 3;

/**
 * Carries a draft out: components to Git, installation, Secret, sync manifests to Git, sync objects. Each step is one that a
 * second run finds done, so a run may be interrupted anywhere. Throws PlanOutdated when the world is not as it was planned.
 */
export async function runBootstrap(
  ctx: BootstrapContext,
  approved: BootstrapDraft,
  report: ReportStep,
): Promise<BootstrapOutcome> {
  const draft = await planBootstrap(ctx, approved.target.request);
  if (draftDigest(draft) !== draftDigest(approved)) {
    throw plumbError('PlanOutdated', {
      message: 'the repository or the cluster changed since the bootstrap was planned',
      hint: 'look at the new plan and approve it',
    });
  }
  const commits: { message: string; hash: string }[] = [];
  let head = draft.repository.head;
  const push = async (commit: CommitPlan | undefined): Promise<string | undefined> => {
    if (commit === undefined) return undefined;
    const pushed = await pushCommit(ctx, draft, commit, head);
    head = pushed;
    commits.push({ message: commit.message.split('\n')[0] ?? '', hash: pushed });
    return `pushed ${pushed.slice(0, 7)}: ${commit.message.split('\n')[0]}`;
  };
  const step = stepsOf(ctx, report);
  await step('components', () => push(draft.commits.components), 'component manifests are up to date');
  await step(
    'install',
    async () =>
      draft.installObjects.length === 0
        ? undefined
        : summarizeStaged(await applyStaged(ctx, draft.installObjects)),
    'installed from Git already',
  );
  await step(
    'secret',
    () => writeSecret(ctx, draft),
    draft.secret === undefined ? 'none is needed' : 'source secret is up to date',
  );
  await step('manifests', () => push(draft.commits.sync), 'sync manifests are up to date');
  await step('sync', async () => summarizeStaged(await applyStaged(ctx, draft.syncObjects)), '');
  return { commits, head: head ?? '' };
}

function stepsOf(ctx: BootstrapContext, report: ReportStep) {
  /** Runs one step; `undefined` means there was nothing to do. */
  return async (
    name: BootstrapStep,
    work: () => Promise<string | undefined>,
    whenSkipped: string,
  ): Promise<void> => {
    ctx.signal.throwIfAborted();
    report(name, 'started', '');
    let message: string | undefined;
    try {
      message = await work();
    } catch (error) {
      report(name, 'failed', error instanceof Error ? error.message : String(error));
      throw error;
    }
    if (message === undefined) report(name, 'skipped', whenSkipped);
    else report(name, 'done', message);
  };
}

async function writeSecret(ctx: BootstrapContext, { secret }: BootstrapDraft): Promise<string | undefined> {
  if (secret === undefined || secret.action === 'unchanged') return undefined;
  await applySyncSecret(ctx, secret);
  return `${secret.ref.name} ${secret.action} with ${[...secret.data.keys()].join(', ')}`;
}

/** Pushes; when somebody else pushed in between, again on top of that, as long as the files to write did not change. */
async function pushCommit(
  ctx: BootstrapContext,
  draft: BootstrapDraft,
  commit: CommitPlan,
  expected: string | undefined,
): Promise<string> {
  const { request } = draft.target;
  let head = expected;
  for (let tries = 1; ; tries++) {
    try {
      return await ctx.git.pushCommit(
        draft.remote,
        {
          branch: request.branch,
          changes: commit.files,
          message: commit.message,
          author: { name: request.authorName, email: request.authorEmail },
          expectedHead: head ?? null,
        },
        ctx.signal,
      );
    } catch (error) {
      if (!isPlumbError(error, 'PlanOutdated') && !isPlumbError(error, 'GitOperationFailed')) throw error;
      const moved = await readRepository(ctx, draft.remote, draft.target);
      if (moved.head === head || tries === pushTries) throw error;
      requireSameFiles(draft, commit, moved.files);
      ctx.log.info('the branch moved, pushing again', { branch: request.branch, tries });
      head = moved.head;
    }
  }
}

/** What a later commit brought must not be overwritten unseen. */
function requireSameFiles(
  draft: BootstrapDraft,
  commit: CommitPlan,
  files: ReadonlyMap<string, string>,
): void {
  for (const path of commit.files.keys()) {
    if (files.get(path) === draft.repository.files.get(path)) continue;
    throw plumbError('PlanOutdated', {
      subject: path,
      message: 'changed in the repository since the bootstrap was planned',
      hint: 'look at the new plan and approve it',
    });
  }
}
