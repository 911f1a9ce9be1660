import { isJsonObject } from '../base/json.ts';
import { isReady, isReconciling } from '../flux/conditions.ts';
import { sortByDependency } from '../flux/dependencyGraph.ts';
import { dependenciesOf, sourceRefOf } from '../flux/references.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import { requestedAtAnnotation } from './fluxCommands.ts';

/** What of a Flux object makes it, its readers or its dependents run. */
export interface Seen {
  readonly generation: number | undefined;
  readonly requestedAt: string | undefined;
  readonly deleting: boolean;
  readonly revision: string | undefined;
  readonly ready: boolean;
  readonly applied: string | undefined;
  readonly version: string | undefined;
  /** What it depends on, by refKey. */
  readonly dependencies: readonly { readonly key: string; readonly hasExpression: boolean }[];
}

/** Tells whether the object itself has to run. */
export function hasTrigger(before: Seen | undefined, now: Seen): boolean {
  if (before === undefined) return true;
  return (
    now.generation !== before.generation ||
    now.requestedAt !== before.requestedAt ||
    now.deleting !== before.deleting
  );
}

/** Tells whether it is of a kind that Kustomizations read beside their source. */
export function isConfig({ group, kind }: ObjectRef): boolean {
  return group === '' && (kind === 'ConfigMap' || kind === 'Secret');
}

/** The object as far as it makes anything run. */
export function seenOf(object: KubeObject): Seen {
  const { generation, annotations, deletionTimestamp, resourceVersion } = object.metadata;
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const artifact = isJsonObject(status['artifact']) ? status['artifact'] : {};
  return {
    generation,
    requestedAt: annotations?.[requestedAtAnnotation],
    deleting: deletionTimestamp !== undefined,
    revision: typeof artifact['revision'] === 'string' ? artifact['revision'] : undefined,
    ready: isReady(conditionsOf(object)),
    applied: typeof status['lastAppliedRevision'] === 'string' ? status['lastAppliedRevision'] : undefined,
    version: resourceVersion,
    dependencies: dependenciesOf(object).map(({ ref, readyExpr }) => ({
      key: refKey(ref),
      hasExpression: readyExpr !== undefined,
    })),
  };
}

/** Tells whether a run for the revision would only repeat what was done, or is being done. */
export function isAtRevision(object: KubeObject, revision: string): boolean {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = conditionsOf(object);
  return status['lastAttemptedRevision'] === revision && (isReady(conditions) || isReconciling(conditions));
}

/** What the object reads and depends on. */
export function needsOf(object: KubeObject): readonly ObjectRef[] {
  const source = sourceRefOf(object);
  return [...dependenciesOf(object).map(({ ref }) => ref), ...(source === undefined ? [] : [source])];
}

/** The objects, sources and dependencies first. */
export function inOrder(objects: readonly KubeObject[]): readonly KubeObject[] {
  const byKey = new Map(objects.map((object) => [refKey(refOf(object)), object]));
  const before = (key: string): readonly string[] =>
    needsOf(byKey.get(key) as KubeObject)
      .map(refKey)
      .filter((other) => byKey.has(other));
  return sortByDependency([...byKey.keys()], before).sorted.map((key) => byKey.get(key) as KubeObject);
}
