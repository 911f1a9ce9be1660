import { mapLimit } from '../../base/mapLimit.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { sourceOf, timeoutOf } from '../../flux/kustomization.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { OverridePlan, OverrideReach } from '../../protocol/views.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import { readFluxObject, suspendedByAnnotation, suspendReasonAnnotation } from '../fluxCommands.ts';
import { PlanStore } from '../planStore.ts';
import { isSuspended } from '../tree/syncState.ts';
import { userAtHost } from '../userAtHost.ts';
import { workingTreeArtifact } from '../workspace/workingTreeArtifact.ts';
import { type Descendant, descendantsOf } from './descendants.ts';
import { Families } from './families.ts';
import { Override, restore } from './override.ts';
import { isLive, isSuspendInGit, overrideRecordOf, suspenderOf } from './overrideRecord.ts';

/** Beside the object's own timeout: what a controller needs to come to an end. */
const gracePeriodMs = 60_000;
/** Handshakes, and ends, at once. */
const concurrency = 8;

/** The objects of one cluster whose controller this engine stands in for. */
export class Overrides {
  readonly #core: EngineCore;
  readonly #session: ClusterSession;
  readonly #plans = new PlanStore<{
    readonly id: string;
    readonly ref: ObjectRef;
    readonly shown: KubeObject;
    readonly below: readonly Descendant[];
  }>();
  readonly #open = new Map<string, Override>();
  readonly #families = new Families();

  constructor(core: EngineCore, session: ClusterSession) {
    this.#core = core;
    this.#session = session;
  }

  of(ref: ObjectRef): Override | undefined {
    return this.#open.get(refKey(ref));
  }

  /** Objects that this engine keeps suspended: its own runs of their parents must not resume them. */
  suspended(): readonly ObjectRef[] {
    return [...this.#open.values()].flatMap((override) => (override.suspends ? [override.ref] : []));
  }

  /**
   * What an override of the object would do, and what the user should know first. Read-only. Throws AccessDenied where the
   * controllers' policy cannot be read: no run could stand in for them.
   */
  async plan(ref: ObjectRef, signal: AbortSignal): Promise<OverridePlan> {
    const shown = await this.#overridable(ref, signal);
    await this.#session.profile(signal);
    const kustomization = shown as unknown as Kustomization;
    const { folder } = await workingTreeArtifact(this.#core, this.#session, kustomization, false, signal);
    const listed = await this.#kustomizations(ref, signal);
    const below = descendantsOf(shown, listed.objects);
    const { id } = this.#plans.add((newId) => ({ id: newId, ref, shown, below }));
    return {
      id,
      ref,
      cluster: this.#session.context,
      folder,
      ...suspensionOf(shown),
      descendants: below.map(({ object }) => ({ ref: refOf(object), ...suspensionOf(object) })),
      warnings: [...(await this.#warnings(shown, folder)), ...listed.warnings],
    };
  }

  /**
   * Starts what was shown: the object, then, where asked, what is below it, parents before their children. All or nothing.
   * Throws PlanOutdated when one of them changed since.
   */
  async start(planId: string, reach: OverrideReach, signal: AbortSignal): Promise<void> {
    const { ref, shown, below } = this.#plans.take(planId);
    if (reach === 'object') {
      await this.startShown(ref, shown, signal);
      return;
    }
    for (const { object } of below) this.#requireAbandoned(object, refOf(object));
    await this.startShown(ref, shown, signal);
    this.#families.found(
      ref,
      below.map(({ object }) => refOf(object)),
    );
    try {
      const deepest = Math.max(0, ...below.map(({ depth }) => depth));
      for (let depth = 1; depth <= deepest; depth++)
        await mapLimit(
          below.filter((descendant) => descendant.depth === depth),
          concurrency,
          ({ object }) => this.startShown(refOf(object), object, signal),
          signal,
        );
    } catch (error) {
      await this.end(ref, this.#core.closing.signal);
      throw error;
    }
  }

  /**
   * Overrides what a run of the object from the folder has made below it since: Kustomizations that no commit holds yet. Only
   * where what is below is overridden too; one that its file suspends stays as it is.
   */
  async adopt(ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const rootRef = this.#families.rootOf(ref);
    if (rootRef === undefined) return;
    const { objects } = await this.#kustomizations(rootRef, signal);
    const root = objects.find((object) => refKey(refOf(object)) === refKey(rootRef));
    if (root === undefined) return;
    for (const { object } of descendantsOf(root, objects)) {
      const made = refOf(object);
      if (this.#families.has(rootRef, made) || isSuspended(object)) continue;
      await this.startShown(made, object, signal);
      this.#families.add(rootRef, made);
    }
  }

  /** As `start`, for the object alone and a plan of the workload itself. */
  async startShown(ref: ObjectRef, shown: KubeObject, signal: AbortSignal): Promise<Override> {
    const known = this.of(ref);
    if (known !== undefined) return known;
    await this.#session.requireBound(signal);
    const { cluster, mode } = this.#session;
    const options = {
      cluster,
      clock: this.#core.deps.clock,
      monotonicMs: () => performance.now(),
      ref,
      by: userAtHost(),
      where: this.#session.identity,
      log: this.#core.deps.log,
      onEnded: (why: string) => this.#ended(ref, why),
    };
    const override =
      mode === 'local'
        ? Override.beside(options, this.#session.localPermit)
        : await Override.start(
            options,
            {
              shown,
              isAnybodyLive: (await this.#session.installation(signal)).live.length > 0,
              patience: timeoutOf(shown as unknown as Kustomization) + gracePeriodMs,
            },
            signal,
          );
    this.#open.set(refKey(ref), override);
    this.#core.emit({ type: 'treeChanged' });
    return override;
  }

  /**
   * Ends this engine's override and those that were started with it, or cleans up after a Plumb that is gone. Throws ModeForbids
   * for one that is at work elsewhere.
   */
  async end(ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const override = this.of(ref);
    if (override !== undefined) {
      // What the folder alone has goes with the parent's own run, which orphans the objects of what is still suspended.
      await this.#endEach(this.#families.madeBelow(ref));
      // The parent before the others: what its own run sets right is right before its children run.
      await this.#endOne(ref).finally(() => this.#endBelow(ref));
    } else {
      const live = await readFluxObject(this.#session.cluster, ref, signal);
      this.#requireAbandoned(live, ref);
      await restore(this.#session.cluster, ref, true);
    }
    this.#core.emit({ type: 'treeChanged' });
  }

  /** Ends all; objects that were suspended for it are restored. */
  async endAll(): Promise<void> {
    for (const root of this.#families.roots()) {
      await this.#endEach(this.#families.madeBelow(root));
      this.#families.forget(root);
    }
    await this.#endEach([...this.#open.values()].map(({ ref }) => ref));
  }

  async #endOne(ref: ObjectRef): Promise<void> {
    const override = this.of(ref);
    this.#open.delete(refKey(ref));
    await override?.end();
  }

  async #endBelow(ref: ObjectRef): Promise<void> {
    const below = this.#families.below(ref);
    this.#families.forget(ref);
    await this.#endEach(below);
  }

  /** Ends every one of them, whatever becomes of another; throws the first failure after that. */
  async #endEach(refs: readonly ObjectRef[]): Promise<void> {
    const ends = await mapLimit(refs, concurrency, (ref) =>
      this.#endOne(ref).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    for (const failed of ends) if (failed !== undefined) throw failed.error;
  }

  #ended(ref: ObjectRef, why: string): void {
    const { log } = this.#core.deps;
    this.#open.delete(refKey(ref));
    log.warn('override ended', { ref: formatRef(ref), why });
    this.#core.emit({ type: 'overrideEnded', ref, why });
    for (const below of this.#families.below(ref))
      if (this.of(below) !== undefined)
        this.#core.emit({
          type: 'overrideEnded',
          ref: below,
          why: `that of ${formatRef(ref)} is over: ${why}`,
        });
    void this.#endBelow(ref).then(
      () => this.#core.emit({ type: 'treeChanged' }),
      (error: unknown) =>
        log.warn('an override below it stays', { ref: formatRef(ref), error: String(error) }),
    );
  }

  /** Every Kustomization that may be listed; where the cluster's may not, those of the object's namespace. */
  async #kustomizations(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<{ readonly objects: readonly KubeObject[]; readonly warnings: readonly string[] }> {
    const { cluster } = this.#session;
    const all = await cluster.list(ref, {}, signal);
    if (all.type === 'ok') return { objects: all.value, warnings: [] };
    const { namespace } = ref;
    const near = namespace === undefined ? all : await cluster.list(ref, { namespace }, signal);
    const where = near.type === 'ok' ? `outside of ${namespace ?? ''}` : 'below it';
    return {
      objects: near.type === 'ok' ? near.value : [],
      warnings: [`Kustomizations ${where} are unknown: ${all.refusal.message}`],
    };
  }

  async #overridable(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject> {
    if (ref.kind !== 'Kustomization') {
      throw plumbError('InvalidConfiguration', {
        subject: formatRef(ref),
        message: `a ${ref.kind} cannot be overridden: Plumb stands in for Kustomizations only`,
        hint: 'name the Kustomization that the object belongs to',
      });
    }
    const shown = await readFluxObject(this.#session.cluster, ref, signal);
    this.#requireAbandoned(shown, ref);
    return shown;
  }

  /** Throws ModeForbids while another Plumb stands in for the object. */
  #requireAbandoned(object: KubeObject, ref: ObjectRef): void {
    const record = overrideRecordOf(object);
    const now = this.#session.cluster.serverTime()?.getTime() ?? this.#core.deps.clock.now();
    if (record === undefined || record.where === this.#session.identity || !isLive(record, now)) return;
    throw plumbError('ModeForbids', {
      subject: formatRef(ref),
      message: `is overridden by ${record.by} since ${record.since}`,
      hint: `end it there, or resume the object: plumb resume ${ref.kind.toLowerCase()} ${ref.name}`,
    });
  }

  async #warnings(shown: KubeObject, folder: string): Promise<readonly string[]> {
    const warnings: string[] = [];
    if (isSuspendInGit(shown))
      warnings.push('the Git of its parent sets spec.suspend: the next run of the parent ends the override');
    const record = overrideRecordOf(shown);
    if (record !== undefined)
      warnings.push(`it takes over from ${record.by}, whose Plumb has been gone since ${record.until}`);
    const source = sourceOf(shown as unknown as Kustomization);
    const answer = await this.#session.cluster.get(source);
    const wanted =
      answer.type === 'ok'
        ? (answer.value['spec'] as { readonly ref?: { readonly branch?: string } }).ref?.branch
        : undefined;
    const snapshots = await this.#core.workspace.saved();
    const branch = snapshots.find(({ root }) => root === folder)?.branch;
    if (wanted !== undefined && branch !== undefined && wanted !== branch)
      warnings.push(`the folder is on branch ${branch}, the source on ${wanted}`);
    return warnings;
  }
}

/** Who suspended the object, unless a Plumb did it for an override. */
function suspensionOf(object: KubeObject): Pick<OverridePlan, 'suspendedBy'> {
  const suspendedBy = overrideRecordOf(object) === undefined ? suspenderOf(object) : undefined;
  if (suspendedBy === undefined) return {};
  const { [suspendReasonAnnotation]: reason, [suspendedByAnnotation]: by } =
    object.metadata.annotations ?? {};
  return {
    suspendedBy: { ...suspendedBy, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) },
  };
}
