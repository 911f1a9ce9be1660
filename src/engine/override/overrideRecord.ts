import type { JsonObject } from '../../base/json.ts';
import { managedFieldsOf, touchesPath } from '../../kube/managedFields.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isSuspended } from '../tree/syncState.ts';

/** Annotations that tell others, and the next Plumb after a crash, who overrides the object and what to restore. */
export const overrideAnnotations = {
  by: 'plumb.dev/override-by',
  where: 'plumb.dev/override-where',
  since: 'plumb.dev/override-since',
  until: 'plumb.dev/override-until',
  previousSuspend: 'plumb.dev/override-previous-suspend',
} as const;

/** Who stands in for the controller of an object. */
export interface OverrideRecord {
  /** User and machine, for people to read. */
  readonly by: string;
  /** The process, as holder identities name it. */
  readonly where: string;
  readonly since: string;
  /** After it the process is taken to be gone; it moves this on while it lives. */
  readonly until: string;
  /** spec.suspend as it was before; absent where it was not set. */
  readonly previousSuspend?: boolean;
}

/** Tells whether a Plumb, this one or another, stands in for the object's controller. */
export function isOverridden(object: KubeObject): boolean {
  return overrideRecordOf(object) !== undefined;
}

/** The record that an object carries. */
export function overrideRecordOf({ metadata }: KubeObject): OverrideRecord | undefined {
  const { by, where, since, until, previousSuspend } = overrideAnnotations;
  const at = (name: string): string => metadata.annotations?.[name] ?? '';
  if (at(where) === '') return undefined;
  const previous = at(previousSuspend);
  return {
    by: at(by),
    where: at(where),
    since: at(since),
    until: at(until),
    ...(previous !== 'unset' && { previousSuspend: previous === 'true' }),
  };
}

/** What puts the record on the object, or takes it away. */
export function recordAnnotations(record: OverrideRecord | undefined): JsonObject {
  const { by, where, since, until, previousSuspend } = overrideAnnotations;
  return {
    [by]: record?.by ?? null,
    [where]: record?.where ?? null,
    [since]: record?.since ?? null,
    [until]: record?.until ?? null,
    [previousSuspend]: record === undefined ? null : String(record.previousSuspend ?? 'unset'),
  };
}

/** Tells whether the record is of a process that lives: its time has not run out at the server's clock. */
export function isLive({ until }: OverrideRecord, serverTimeMs: number): boolean {
  return Date.parse(until) > serverTimeMs;
}

/** Who set spec.suspend, and when, as far as the server recorded it; undefined for an object that is not suspended. */
export function suspenderOf(
  object: KubeObject,
): { readonly manager: string; readonly time?: string } | undefined {
  if (!isSuspended(object)) return undefined;
  const entry = managedFieldsOf(object).find(({ fieldsV1 }) =>
    touchesPath(fieldsV1 ?? {}, ['f:spec', 'f:suspend']),
  );
  return {
    manager: entry?.manager ?? 'unknown',
    ...(entry?.time !== undefined && { time: entry.time }),
  };
}

/** Tells whether the Git of its parent says something about spec.suspend, so that the parent's next run sets it again. */
export function isSuspendInGit(object: KubeObject): boolean {
  return managedFieldsOf(object).some(
    ({ manager, operation, fieldsV1 }) =>
      manager === 'kustomize-controller' &&
      operation === 'Apply' &&
      touchesPath(fieldsV1 ?? {}, ['f:spec', 'f:suspend']),
  );
}
