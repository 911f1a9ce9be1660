import { formatRef, refKey, type ObjectRef } from '../../kube/object.ts';
import type { DriftView, FluxNode, PlanView, StatusView } from '../../protocol/views.ts';
import { deletedObjects, writtenChanges } from './planText.ts';

/** What a save of a manifest does. */
export type SaveMode = 'off' | 'preview' | 'apply';

/** What the user agreed to, for one folder: it holds for this cluster, context and branch only. */
export interface SaveConsent {
  readonly mode: Exclude<SaveMode, 'off'>;
  readonly clusterUid: string;
  readonly context: string;
  /** Absent in a folder without git, or with a detached HEAD. */
  readonly branch?: string;
}

/** The world a consent is compared with. */
export interface SaveSituation {
  readonly status: StatusView | undefined;
  readonly branch: string | undefined;
}

/** `ended`: the consent is over, for that reason. `paused`: it holds, but nothing can be done now. */
export type ConsentState =
  | { readonly type: 'holds' }
  | { readonly type: 'paused'; readonly why: string }
  | { readonly type: 'ended'; readonly why: string };

/** Tells whether a consent still holds. Another cluster, context or branch ends it; it does not come back by itself. */
export function consentState(consent: SaveConsent, situation: SaveSituation): ConsentState {
  const { status, branch } = situation;
  if (status === undefined) return { type: 'paused', why: 'the engine is starting' };
  const { cluster } = status;
  if (cluster === undefined) return { type: 'ended', why: 'there is no cluster any more' };
  if (cluster.context !== consent.context)
    return { type: 'ended', why: `the context is now ${cluster.context}, it was ${consent.context}` };
  if (!cluster.reachable) return { type: 'paused', why: `${cluster.context} cannot be reached` };
  if (cluster.uid !== consent.clusterUid)
    return { type: 'ended', why: `${cluster.context} is now another cluster` };
  if (branch !== consent.branch)
    return {
      type: 'ended',
      why: `the branch is now ${branch ?? 'none'}, it was ${consent.branch ?? 'none'}`,
    };
  return { type: 'holds' };
}

/** The consent for the situation as it is; undefined where the cluster cannot be told from others. */
export function newConsent(mode: SaveConsent['mode'], situation: SaveSituation): SaveConsent | undefined {
  const cluster = situation.status?.cluster;
  if (cluster?.uid === undefined || !cluster.reachable) return undefined;
  return {
    mode,
    clusterUid: cluster.uid,
    context: cluster.context,
    ...(situation.branch !== undefined && { branch: situation.branch }),
  };
}

/** What is done with the plan made after a save. */
export type SaveDecision =
  | { readonly type: 'nothing' }
  | { readonly type: 'preview'; readonly why: readonly string[] }
  | { readonly type: 'apply' };

/**
 * Only creates and changes that the server accepted are written without a question, and only when the files build and there is
 * nothing to be warned of (somebody suspended it, Flux will undo it). Everything else stops at the preview, with the reasons.
 */
export function decideOnSave(mode: SaveConsent['mode'], plan: PlanView): SaveDecision {
  const changes = writtenChanges(plan);
  const deleted = deletedObjects(plan);
  const errors = plan.diagnostics.filter(({ severity }) => severity === 'error');
  if (changes.length + deleted.length + errors.length === 0) return { type: 'nothing' };
  if (mode === 'preview') return { type: 'preview', why: [] };
  const why = [
    ...errors.map(({ path, message }) => `${path}: ${message}`),
    ...changes.flatMap((change) => {
      const name = formatRef(change.ref);
      if (change.message !== undefined) return [`${name}: the server says: ${change.message}`];
      if (change.action !== 'created' && change.action !== 'configured')
        return [`${name} would be ${change.action}`];
      if (!change.verified) return [`${name} is not verified: an earlier stage comes first`];
      return change.approximate ? [`${name} could not be dry-run`] : [];
    }),
    ...deleted.map(({ ref }) => `${formatRef(ref)} is no longer in Git; a save deletes nothing`),
    ...plan.warnings,
  ];
  if (why.length > 0) return { type: 'preview', why };
  return { type: 'apply' };
}

/** The workloads that a saved file has a part in: below their path, defining their objects, or marked in the file. */
export function workloadsOfFile(
  path: string,
  workloads: readonly FluxNode[],
  drift: DriftView | undefined,
): readonly ObjectRef[] {
  const marked = [...(drift?.marks ?? []), ...(drift?.onlyInGit ?? [])].map(({ workload }) =>
    refKey(workload),
  );
  return workloads
    .filter(
      (node) =>
        marked.includes(refKey(node.ref)) ||
        isBelow(path, node.path) ||
        node.inventory.some(({ location }) => location?.path === path),
    )
    .map(({ ref }) => ref);
}

function isBelow(path: string, folder: string | undefined): boolean {
  if (folder === undefined) return false;
  const normal = folder.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  return normal === '' || normal === '.' || path.startsWith(`${normal}/`);
}

/** The branch a HEAD file names; undefined when it is detached. */
export function branchOfHead(head: string): string | undefined {
  return /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1];
}
