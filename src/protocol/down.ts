import type { ObjectRef } from '../kube/object.ts';

/** What leaving local mode for good would do to the cluster. Nothing else is written and nothing is deleted. */
export interface DownPlan {
  readonly id: string;
  readonly cluster: string;
  /** Leases that Plumb holds, or that still name a Plumb that is gone. */
  readonly leases: readonly ObjectRef[];
  /** Overrides of a Plumb that is gone: spec.suspend becomes what it was. */
  readonly overrides: readonly { readonly ref: ObjectRef; readonly by: string; readonly since: string }[];
  /** Flux objects that lose the finalizer nobody would run. They stay. */
  readonly finalizers: readonly ObjectRef[];
  /** Those of them that wait for their deletion: they go at once, and what they applied stays. */
  readonly vanishing: readonly { readonly ref: ObjectRef; readonly objects: number }[];
  /** What stays, and who goes on. */
  readonly notes: readonly string[];
}

export interface DownResult {
  readonly planId: string;
  readonly leases: readonly ObjectRef[];
  readonly overrides: readonly ObjectRef[];
  readonly finalizers: readonly ObjectRef[];
  /** Finalizers that could not be removed, with the server's words; the rest went on. */
  readonly failures: readonly { readonly ref: ObjectRef; readonly message: string }[];
}
