import { FileTree } from '../../base/fileTree.ts';
import { joinTreePath } from '../../base/treePath.ts';
import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import type { GitRepository, GitRepositoryIncludeItem } from '../../flux/api/source.gen.ts';
import { refOf } from '../../kube/object.ts';
import type { StoredArtifact } from './artifactStore.ts';
import type { SourceContext } from './sourceContext.ts';
import type { SourceRun, StepResult } from './sourceRun.ts';

const includeRetryMs = 30_000;

/** One entry of spec.include with what it brings. */
export interface Included {
  readonly item: GitRepositoryIncludeItem;
  readonly stored: StoredArtifact;
  readonly artifact: FetchedArtifact;
}

/** The artifacts to include, or why one is not there. */
export async function resolveIncludes(
  ctx: SourceContext,
  object: GitRepository,
): Promise<readonly Included[] | StepResult> {
  const result: Included[] = [];
  for (const item of object.spec.include ?? []) {
    const { name } = item.repository;
    const ref = { ...refOf(object), name };
    const answer = await ctx.cluster.get(ref, ctx.signal);
    if (answer.type === 'refused')
      return waitForInclude(
        'NotFound',
        `could not get resource for include '${name}': ${answer.refusal.message}`,
      );
    const { artifact } = (answer.value as unknown as GitRepository).status ?? {};
    const stored = ctx.artifacts.get(ref);
    if (artifact === undefined || stored === undefined)
      return waitForInclude('NoArtifact', `no artifact available for include '${name}'`);
    result.push({ item, stored, artifact });
  }
  return result;
}

function waitForInclude(reason: string, message: string): StepResult {
  return { type: 'waiting', reason, message, delay: includeRetryMs };
}

/** Tells on the object when the included artifacts are not those observed last, and patches it then. */
export async function observeIncludes(
  run: SourceRun<GitRepository>,
  includes: readonly Included[],
): Promise<void> {
  const observed = run.object.status?.includedArtifacts;
  const isSame =
    (observed ?? []).length === includes.length &&
    includes.every(({ artifact }, index) => observed?.[index]?.revision === artifact.revision);
  if (!isSame) {
    const message = 'included artifacts differ from last observed includes';
    if (observed !== undefined)
      run.set({ type: 'ArtifactOutdated', status: 'True', reason: 'IncludeChange', message });
    run.progress(`building artifact: ${message}`, true);
    await run.flush();
  }
  run.remove('ArtifactOutdated');
  run.remove('IncludeUnavailable');
}

/** The own files with the included ones moved to their places. */
export function withIncludes(own: FileTree, includes: readonly Included[]): FileTree {
  if (includes.length === 0) return own;
  const included = includes.flatMap(({ item, stored }) => {
    const from = rootedPath(item.fromPath ?? '');
    const to = rootedPath(item.toPath || item.repository.name);
    return [...stored.files.sub(from).entries()].map(
      ([path, bytes]) => [to === '' ? path : `${to}/${path}`, bytes] as const,
    );
  });
  return FileTree.from([...own.entries(), ...included]);
}

/** The path below the root; one that would leave it is the root. */
function rootedPath(path: string): string {
  return joinTreePath('', path.replace(/^\/+/, '')) ?? '';
}
