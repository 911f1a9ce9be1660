import { formatRef, refKey, type ObjectRef } from '../../kube/object.ts';
import type { ChangeView, PlanView } from '../../protocol/views.ts';
import { writtenChanges } from './planText.ts';

/** The scheme of the read-only documents made of plans. */
export const planScheme = 'plumb';

export type PlanSide = 'cluster' | 'git';

/** A document's address within the scheme. Both sides share the path, so the diff editor sees one file. */
export interface PlanAddress {
  readonly path: string;
  readonly query: string;
}

/** One object of a plan as two documents for the diff editor; a side that does not exist has none. */
export interface DiffPair {
  readonly ref: ObjectRef;
  readonly title: string;
  readonly cluster?: PlanAddress;
  readonly git?: PlanAddress;
}

/** Pairs for every object that the plan writes, or for the one named, also when it is unchanged. */
export function diffPairs(plan: PlanView, only?: ObjectRef): readonly DiffPair[] {
  const changes =
    only === undefined
      ? writtenChanges(plan)
      : plan.changes.filter((change) => refKey(change.ref) === refKey(only));
  return changes.map((change) => ({
    ref: change.ref,
    title: `${formatRef(change.ref)}: cluster ${plan.cluster} ↔ Git`,
    ...(sideText(change, 'cluster') !== undefined && { cluster: addressOf(plan.id, 'cluster', change.ref) }),
    ...(sideText(change, 'git') !== undefined && { git: addressOf(plan.id, 'git', change.ref) }),
  }));
}

/** Keeps the newest plans, so that their documents can be read for as long as a user may look at them. */
export class PlanStore {
  readonly #plans = new Map<string, PlanView>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(plan: PlanView): void {
    this.#plans.delete(plan.id);
    this.#plans.set(plan.id, plan);
    for (const id of this.#plans.keys()) if (this.#plans.size > this.#limit) this.#plans.delete(id);
  }

  /** The plan a document belongs to, if it is still kept. */
  planOf(address: PlanAddress): PlanView | undefined {
    return this.#plans.get(parametersOf(address).plan);
  }

  /** The document's text; undefined when the plan is gone or holds no such object. */
  text(address: PlanAddress): string | undefined {
    const { side } = parametersOf(address);
    const change = this.planOf(address)?.changes.find(({ ref }) => pathOf(ref) === address.path);
    return change === undefined ? undefined : (sideText(change, side) ?? '');
  }
}

function addressOf(planId: string, side: PlanSide, ref: ObjectRef): PlanAddress {
  return { path: pathOf(ref), query: new URLSearchParams({ plan: planId, side }).toString() };
}

/** `/<namespace>/<Kind>.<group>/<name>.yaml`, readable in the diff editor's headers. */
function pathOf(ref: ObjectRef): string {
  const kind = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`;
  return `/${[...(ref.namespace === undefined ? [] : [ref.namespace]), kind, `${ref.name}.yaml`]
    .map((part) => part.replaceAll('/', '_'))
    .join('/')}`;
}

function parametersOf({ query }: PlanAddress): { readonly plan: string; readonly side: PlanSide } {
  const parameters = new URLSearchParams(query);
  return {
    plan: parameters.get('plan') ?? '',
    side: parameters.get('side') === 'cluster' ? 'cluster' : 'git',
  };
}

function sideText(change: ChangeView, side: PlanSide): string | undefined {
  if (side === 'cluster') return change.liveYaml;
  if (change.message === undefined || change.desiredYaml === undefined) return change.desiredYaml;
  const words = change.message.split('\n').map((line) => `# ${line}`);
  return ['# The server refused the dry-run:', ...words, change.desiredYaml].join('\n');
}
