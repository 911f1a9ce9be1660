import type { Logger } from '../base/logger.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import type { ObjectFollower } from './followObjects.ts';

/** Milliseconds since the epoch, and waiting that a signal ends. Tests replace it. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type StageEvent =
  | { readonly type: 'started'; readonly stage: string }
  | {
      readonly type: 'finished';
      readonly stage: string;
      readonly elapsedMs: number;
      readonly failed: boolean;
    };

/** What every run carries: the lowest context, knows no git and no http. Controllers extend it. */
export interface RunContext {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Gives the run's slot in the queue back while it only waits; waits for health go through it. Absent: nothing to give back. */
  readonly park?: <T>(wait: () => Promise<T>) => Promise<T>;
  /** Live objects from watches that exist anyway; a wait opens its own when absent. */
  readonly follower?: ObjectFollower;
  /** Live objects from watches that exist anyway. A run dry-runs each all the same, and reads again what is older than the answer. */
  readonly watched?: (ref: ObjectRef) => KubeObject | undefined;
  readonly onStage?: (event: StageEvent) => void;
  /** The client of another cluster that the run writes to, under the run's own right to write. As it is when absent. */
  readonly guarded?: (cluster: ClusterClient) => ClusterClient;
}
