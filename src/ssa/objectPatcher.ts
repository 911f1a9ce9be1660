import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { formatRef, refOf, type KubeObject } from '../kube/object.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import type { RunContext } from './runContext.ts';

/** How changes of an object become patches; the Flux rules are in flux/statusPatch.ts. */
export interface PatchRules {
  statusPatches(
    before: KubeObject,
    after: KubeObject,
  ): { readonly object?: JsonObject; readonly status?: JsonObject; readonly conditionsChanged: boolean };
  rebaseConditions(before: KubeObject, after: KubeObject, latest: KubeObject): readonly JsonValue[];
}

const tries = 5;
const firstPauseMs = 100;

/**
 * Holds an object between two writes: `current` is changed in memory, `flush` sends the difference.
 * Conditions are written under the resourceVersion, so those of other controllers are never lost; the rest is merged.
 * The spec stays as it was read: a run judges the generation it started with.
 * Follows fluxcd/pkg runtime/patch SerialPatcher; conditions and status go in one request.
 */
export class ObjectPatcher<T extends KubeObject> {
  readonly #rules: PatchRules;
  readonly #fieldManager: string;
  #written: T;
  current: T;

  constructor(object: T, fieldManager: string, rules: PatchRules) {
    this.#written = object;
    this.current = object;
    this.#fieldManager = fieldManager;
    this.#rules = rules;
  }

  /** Sends what changed since the last flush; false when the object is gone. Throws ReconciliationFailed when refused. */
  flush(ctx: Pick<RunContext, 'cluster' | 'clock'>, signal?: AbortSignal): Promise<boolean> {
    return this.#send(ctx, this.current, signal);
  }

  /** Sends only the part of the changes that `part` puts into what was written last. */
  flushPart(
    ctx: Pick<RunContext, 'cluster' | 'clock'>,
    part: (written: T, current: T) => T,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return this.#send(ctx, part(this.#written, this.current), signal);
  }

  async #send(
    ctx: Pick<RunContext, 'cluster' | 'clock'>,
    wanted: T,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { object, status, conditionsChanged } = this.#rules.statusPatches(this.#written, wanted);
    let latest: KubeObject = this.#written;
    if (status !== undefined || conditionsChanged) {
      const answer = await this.#patchStatus(ctx, latest, wanted, status, conditionsChanged, signal);
      if (!this.#isWritten(answer)) return false;
      latest = answer.value;
    }
    if (object !== undefined) {
      const answer = await this.#patchObject(ctx, latest, wanted, object, signal);
      if (!this.#isWritten(answer)) return false;
      latest = answer.value;
    }
    const { resourceVersion } = latest.metadata;
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    this.#written = { ...wanted, metadata: { ...wanted.metadata, ...version } };
    this.current = { ...this.current, metadata: { ...this.current.metadata, ...version } };
    return true;
  }

  async #patchStatus(
    ctx: Pick<RunContext, 'cluster' | 'clock'>,
    start: KubeObject,
    wanted: T,
    status: JsonObject | undefined,
    conditionsChanged: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const options = { type: 'merge', fieldManager: this.#fieldManager, subresource: 'status' } as const;
    if (!conditionsChanged) return ctx.cluster.patch(refOf(start), { status: status ?? {} }, options, signal);
    return this.#locked(ctx, start, signal, (latest) => {
      const conditions = this.#rules.rebaseConditions(this.#written, wanted, latest);
      const body = {
        metadata: { resourceVersion: latest.metadata.resourceVersion ?? null },
        status: { ...status, conditions },
      };
      return ctx.cluster.patch(refOf(latest), body, options, signal);
    });
  }

  async #patchObject(
    ctx: Pick<RunContext, 'cluster' | 'clock'>,
    start: KubeObject,
    wanted: T,
    patch: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const options = { type: 'merge', fieldManager: this.#fieldManager } as const;
    const metadata = isJsonObject(patch['metadata']) ? patch['metadata'] : {};
    if (metadata['finalizers'] === undefined) return ctx.cluster.patch(refOf(start), patch, options, signal);
    return this.#locked(ctx, start, signal, (latest) => {
      const body = {
        ...patch,
        metadata: {
          ...metadata,
          finalizers: this.#rebaseFinalizers(wanted, latest),
          resourceVersion: latest.metadata.resourceVersion ?? null,
        },
      };
      return ctx.cluster.patch(refOf(latest), body, options, signal);
    });
  }

  /** Repeats a write on the newest state of the object until no one else got in between. */
  async #locked(
    ctx: Pick<RunContext, 'cluster' | 'clock'>,
    start: KubeObject,
    signal: AbortSignal | undefined,
    write: (latest: KubeObject) => Promise<Answer>,
  ): Promise<Answer> {
    let answer = await write(start);
    for (let turn = 1; turn < tries && isConflict(answer); turn++) {
      const latest = await ctx.cluster.get(refOf(start), signal);
      if (latest.type === 'refused') return latest;
      answer = await write(latest.value);
      if (isConflict(answer)) await ctx.clock.sleep(firstPauseMs * 2 ** turn, signal);
    }
    return answer;
  }

  #rebaseFinalizers(wanted: T, latest: KubeObject): readonly string[] {
    const before = this.#written.metadata.finalizers ?? [];
    const after = wanted.metadata.finalizers ?? [];
    const kept = (latest.metadata.finalizers ?? []).filter(
      (name) => after.includes(name) || !before.includes(name),
    );
    return [...kept, ...after.filter((name) => !kept.includes(name))];
  }

  #isWritten(answer: Answer): answer is Extract<Answer, { type: 'ok' }> {
    if (answer.type === 'ok') return true;
    if (answer.refusal.httpStatus === 404) return false;
    throw plumbError('ReconciliationFailed', {
      subject: formatRef(refOf(this.current)),
      message: `failed to update status: ${answer.refusal.message}`,
      ...(answer.refusal.httpStatus === 403 && {
        hint: 'the right to patch the object and its status subresource is needed',
      }),
    });
  }
}

function isConflict(answer: Answer): boolean {
  return answer.type === 'refused' && answer.refusal.httpStatus === 409;
}
