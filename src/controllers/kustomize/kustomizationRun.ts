import type { DurationMs } from '../../base/duration.ts';
import type { Kustomization, KustomizationStatus } from '../../flux/api/kustomize.gen.ts';
import {
  conditionStatus,
  getCondition,
  markReconciling,
  markStalled,
  removeCondition,
  setCondition,
  type Conditions,
  type ConditionState,
  type Observation,
} from '../../flux/conditions.ts';
import type { FluxEvent } from '../../flux/events.ts';
import { addToHistory } from '../../flux/history.ts';
import { inventoryEntryOf } from '../../kube/inventoryId.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import * as statusRules from '../../flux/statusPatch.ts';
import type { KubeObject } from '../../kube/object.ts';
import { ObjectPatcher } from '../../ssa/objectPatcher.ts';
import type { Inventory } from '../../ssa/plan.ts';
import type { KustomizeContext } from './kustomizeContext.ts';

const component = 'kustomize-controller';
const statusManager = 'gotk-kustomize-controller';
/** Progress that ends sooner is not worth a patch. */
export const momentMs = 2000;

/** One run over one Kustomization: its state in memory, the revision it works on, and the words upstream uses. */
export class KustomizationRun {
  readonly ctx: KustomizeContext;
  readonly startedAt: number;
  /** Only the inventory is written: the object is overridden. */
  readonly isOverride: boolean;
  readonly #patcher: ObjectPatcher<KubeObject>;
  revision = '';
  originRevision = '';
  /** Of the built manifests; '' before the build. */
  checksum = '';
  /** What the user should know and upstream's status has no place for. */
  warnings: readonly string[] = [];

  constructor(ctx: KustomizeContext, object: Kustomization, isOverride: boolean) {
    this.ctx = ctx;
    this.startedAt = ctx.clock.now();
    this.isOverride = isOverride;
    this.#patcher = new ObjectPatcher<KubeObject>(object, statusManager, statusRules);
  }

  get object(): Kustomization {
    return this.#patcher.current as unknown as Kustomization;
  }

  get status(): KustomizationStatus {
    return this.object.status ?? {};
  }

  get conditions(): Conditions {
    return this.status.conditions ?? [];
  }

  get inventory(): Inventory {
    return inventoryOf(this.object);
  }

  set(state: ConditionState): void {
    this.setStatus({ conditions: setCondition(this.conditions, state, this.#at()) });
  }

  remove(type: string): void {
    this.setStatus({ conditions: removeCondition(this.conditions, type) });
  }

  notReady(reason: string, message: string): void {
    this.set({ type: 'Ready', status: 'False', reason, message });
  }

  stall(reason: string, message: string): void {
    this.setStatus({ conditions: markStalled(this.conditions, reason, message, this.#at()) });
  }

  /**
   * Does what may take long. What was announced before is shown once it has taken a moment: most of it is over by then, and a
   * patch that lives for milliseconds costs the server as much as any other. The work must not flush.
   */
  async showingProgress<T>(work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const shown = this.ctx.clock.sleep(momentMs, done.signal).then(
      () => this.flush(),
      () => true,
    );
    // Also where the work fails: what comes after must not be overtaken by this patch.
    const [worked, told] = await Promise.allSettled([work().finally(() => done.abort()), shown]);
    if (worked.status === 'rejected') throw worked.reason as Error;
    if (told.status === 'rejected') throw told.reason as Error;
    return worked.value;
  }

  /** Reconciling with that message, in memory; the next flush shows it. */
  progress(message: string): void {
    this.setStatus({ conditions: markReconciling(this.conditions, 'Progressing', message, this.#at()) });
  }

  setStatus(members: {
    readonly [K in keyof KustomizationStatus]: KustomizationStatus[K] | undefined;
  }): void {
    const { current } = this.#patcher;
    this.#patcher.current = { ...current, status: { ...this.status, ...members } } as KubeObject;
  }

  setInventory(inventory: Inventory): void {
    this.setStatus({ inventory: { entries: inventory.map(inventoryEntryOf) } });
  }

  setFinalizers(finalizers: readonly string[]): void {
    const { current } = this.#patcher;
    this.#patcher.current = { ...current, metadata: { ...current.metadata, finalizers } };
  }

  /** Counts the build in status.history under the reason it ended with. */
  addToHistory(reason: string): void {
    const now = this.ctx.clock.now();
    const history = addToHistory(this.status.history ?? [], {
      digest: this.checksum,
      status: reason,
      now,
      duration: now - this.startedAt,
      metadata: {
        revision: this.revision,
        ...(this.originRevision !== '' && { originRevision: this.originRevision }),
      },
    });
    this.setStatus({ history });
  }

  /** Writes what changed; false when the object is gone. Of an overridden object only the inventory is written. */
  flush(): Promise<boolean> {
    return this.isOverride ? this.flushInventory() : this.#patcher.flush(this.ctx);
  }

  /** Writes the inventory and nothing else: also how a run that is stopped in the middle ends. */
  flushInventory(): Promise<boolean> {
    return this.#patcher.flushPart(this.ctx, (written, current) => {
      const { inventory } = (current as unknown as Kustomization).status ?? {};
      const status = { ...(written as unknown as Kustomization).status, inventory };
      return { ...written, status } as KubeObject;
    });
  }

  /** Tells what happened, under Ready's reason and with the revision of this run, or of the given one. */
  event(
    severity: FluxEvent['severity'],
    message: string,
    options: { readonly revision?: string; readonly metadata?: FluxEvent['metadata'] } = {},
  ): void {
    const revision = options.revision ?? this.revision;
    this.ctx.recordEvent({
      object: this.#patcher.current,
      severity,
      reason: getCondition(this.conditions, 'Ready')?.reason || severity,
      message,
      metadata: {
        ...options.metadata,
        ...(revision !== '' && { [`${kustomizeGroup}/revision`]: revision }),
        ...(this.originRevision !== '' && { [`${kustomizeGroup}/originRevision`]: this.originRevision }),
      },
      component,
    });
  }

  elapsed(): DurationMs {
    return this.ctx.clock.now() - this.startedAt;
  }

  /** The last patch of every run: the request is answered, Reconciling ends or says that it will be tried again. */
  async finish(): Promise<boolean> {
    const request = this.object.metadata.annotations?.['reconcile.fluxcd.io/requestedAt'];
    if (request !== undefined) this.setStatus({ lastHandledReconcileAt: request });
    const ready = conditionStatus(this.conditions, 'Ready');
    if (ready === 'True') {
      this.remove('Reconciling');
      this.setStatus({ observedGeneration: this.object.metadata.generation });
    }
    const reconciling = getCondition(this.conditions, 'Reconciling');
    if (ready === 'False' && reconciling !== undefined)
      this.set({ ...reconciling, reason: 'ProgressingWithRetry' });
    return this.flush();
  }

  #at(): Observation {
    return { generation: this.object.metadata.generation ?? 0, now: this.ctx.clock.now() };
  }
}
