import { userInfo, hostname } from 'node:os';
import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { sourceOf, timeoutOf } from '../../flux/kustomization.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey } from '../../kube/object.ts';
import type { OverridePlan } from '../../protocol/views.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import { readFluxObject, suspendReasonAnnotation } from '../fluxCommands.ts';
import { PlanStore } from '../planStore.ts';
import { workingTreeArtifact } from '../workspace/workingTreeArtifact.ts';
import { Override, restore } from './override.ts';
import { isLive, isSuspendInGit, overrideRecordOf, suspenderOf } from './overrideRecord.ts';

/** Beside the object's own timeout: what a controller needs to come to an end. */
const gracePeriodMs = 60_000;

/** The objects of one cluster whose controller this engine stands in for. */
export class Overrides {
  readonly #core: EngineCore;
  readonly #session: ClusterSession;
  readonly #plans = new PlanStore<{
    readonly id: string;
    readonly ref: ObjectRef;
    readonly shown: KubeObject;
  }>();
  readonly #open = new Map<string, Override>();

  constructor(core: EngineCore, session: ClusterSession) {
    this.#core = core;
    this.#session = session;
  }

  of(ref: ObjectRef): Override | undefined {
    return this.#open.get(refKey(ref));
  }

  /** What an override of the object would do, and what the user should know first. Read-only. */
  async plan(ref: ObjectRef, signal: AbortSignal): Promise<OverridePlan> {
    const shown = await this.#overridable(ref, signal);
    const kustomization = shown as unknown as Kustomization;
    const { folder } = await workingTreeArtifact(this.#core, this.#session, kustomization, false, signal);
    const suspendedBy = overrideRecordOf(shown) === undefined ? suspenderOf(shown) : undefined;
    const reason = shown.metadata.annotations?.[suspendReasonAnnotation];
    const { id } = this.#plans.add((newId) => ({ id: newId, ref, shown }));
    return {
      id,
      ref,
      cluster: this.#session.context,
      folder,
      ...(suspendedBy !== undefined && {
        suspendedBy: { ...suspendedBy, ...(reason !== undefined && { reason }) },
      }),
      warnings: await this.#warnings(shown, folder),
    };
  }

  /** Starts what was shown. Throws PlanOutdated when the object changed since. */
  async start(planId: string, signal: AbortSignal): Promise<void> {
    const { ref, shown } = this.#plans.take(planId);
    await this.startShown(ref, shown, signal);
  }

  /** As `start`, for a plan of the workload itself. */
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
      by: `${userInfo().username}@${hostname()}`,
      where: this.#session.identity,
      log: this.#core.deps.log,
      onEnded: (why: string) => this.#ended(ref, why),
    };
    const override =
      mode === 'local'
        ? Override.beside(options)
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

  /** Ends this engine's override, or cleans up after a Plumb that is gone. Throws ModeForbids for one that is at work. */
  async end(ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const override = this.of(ref);
    if (override !== undefined) {
      this.#open.delete(refKey(ref));
      await override.end();
    } else {
      const live = await readFluxObject(this.#session.cluster, ref, signal);
      this.#requireAbandoned(live, ref);
      await restore(this.#session.cluster, ref, true);
    }
    this.#core.emit({ type: 'treeChanged' });
  }

  /** Ends all; objects that were suspended for it are restored. */
  async endAll(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((override) => override.end()));
  }

  #ended(ref: ObjectRef, why: string): void {
    this.#open.delete(refKey(ref));
    this.#core.deps.log.warn('override ended', { ref: formatRef(ref), why });
    this.#core.emit({ type: 'overrideEnded', ref, why });
    this.#core.emit({ type: 'treeChanged' });
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
    warnings.push('Kustomizations below it keep the files of their own source');
    return warnings;
  }
}
