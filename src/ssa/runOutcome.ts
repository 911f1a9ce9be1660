import type { DurationMs } from '../base/duration.ts';
import type { ErrorKind } from '../base/plumbError.ts';
import type { ChangeSet } from './plan.ts';

/** When the object is looked at again, unless something wakes it before. */
export type NextRun =
  | { readonly type: 'done' }
  | { readonly type: 'after'; readonly delay: DurationMs }
  /** With the queue's exponential backoff. */
  | { readonly type: 'backoff' };

/** How one run of a controller ended. A failure is an outcome: it stands in the object's status too. */
export interface RunOutcome {
  readonly result: 'succeeded' | 'failed' | 'suspended' | 'requeued' | 'deleted' | 'gone';
  /** Ready's reason and message. */
  readonly reason: string;
  readonly message: string;
  /** Of the failure; decides exit code and how loudly it is shown. */
  readonly errorKind?: ErrorKind;
  /** What the user can do about the failure. */
  readonly hint?: string;
  readonly revision?: string;
  /** What the user should know about a run that worked, and that stands in no condition. */
  readonly warnings?: readonly string[];
  /** What was written, in the order it was done; partial when the run failed. */
  readonly changeSet: ChangeSet;
  readonly next: NextRun;
}
