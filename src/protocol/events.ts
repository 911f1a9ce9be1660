import type { Diagnostic } from '../base/diagnostic.ts';
import type { LogEntry } from '../base/logger.ts';
import type { ObjectRef } from '../kube/object.ts';
import type { BootstrapProgress } from './bootstrap.ts';
import type { ClusterView, RunView } from './views.ts';

/** Progress of the engine. Results come from the call itself. */
export type EngineEvent =
  | { readonly type: 'stageStarted'; readonly ref: ObjectRef; readonly stage: string }
  | {
      readonly type: 'stageFinished';
      readonly ref: ObjectRef;
      readonly stage: string;
      readonly elapsedMs: number;
      readonly failed: boolean;
    }
  /** An object of the cluster changed: a Flux object, or one of an inventory. Many in a burst are one event. */
  | { readonly type: 'objectsChanged'; readonly refs: readonly ObjectRef[] }
  /** The trees should be asked for again. */
  | { readonly type: 'treeChanged' }
  | { readonly type: 'modeChanged'; readonly cluster: ClusterView; readonly why: string }
  /** Drift of the workload came back each time it was reverted at once: it waits for the interval again, and for the user. */
  | {
      readonly type: 'revertStopped';
      readonly ref: ObjectRef;
      readonly object: ObjectRef;
      /** Who changes the object, `unknown` where the server did not record it. */
      readonly manager: string;
    }
  /** An override ended without being asked to; nothing more is written for the object. */
  | { readonly type: 'overrideEnded'; readonly ref: ObjectRef; readonly why: string }
  | {
      readonly type: 'diagnosticsChanged';
      readonly uri: string;
      readonly version?: number;
      readonly diagnostics: readonly Diagnostic[];
    }
  /** Drift of this document may have changed; ask for it again. */
  | { readonly type: 'driftChanged'; readonly uri?: string }
  | BootstrapProgress
  | { readonly type: 'runFinished'; readonly run: RunView }
  | { readonly type: 'log'; readonly entry: LogEntry };
