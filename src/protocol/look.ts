import type { ObjectRef } from '../kube/object.ts';
import type { FluxNode, Presence, SourceLocation } from './views.ts';

/** Names an object as people do: kind, plural or short name, with the group where it must be told (`deploy`, `certificates.cert-manager.io`). */
export interface TraceQuery {
  readonly kind: string;
  readonly name: string;
  /** Ignored for kinds without namespaces. */
  readonly namespace: string;
}

/** A workload on the way from an object to Git, with the source it is built from. */
export interface TraceStep {
  readonly workload: FluxNode;
  readonly source?: FluxNode;
}

/** Where an object comes from. */
export interface TraceView {
  readonly object: ObjectRef;
  readonly presence: Presence;
  /** Who owns it in the cluster, the nearest first: a Pod's ReplicaSet, then its Deployment. */
  readonly owners: readonly ObjectRef[];
  /** The workload that applies it, then the one that applies that, up to the top; empty for what Flux does not manage. */
  readonly steps: readonly TraceStep[];
  /** The place in the workspace that it is built from. */
  readonly location?: SourceLocation;
  /** Why only the files were asked. */
  readonly filesAloneBecause?: string;
}

export interface EventsQuery {
  /** All namespaces when absent. */
  readonly namespace?: string;
  /** Only of this object and of the source it reads. */
  readonly about?: ObjectRef;
}

/** What a controller said about a Flux object. */
export interface EventView {
  readonly object: ObjectRef;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** How often it was said. */
  readonly count: number;
  readonly lastSeen: string;
  readonly component: string;
  readonly revision?: string;
}
