import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { Origin } from '../../base/position.ts';
import type { HiddenFields } from '../../kube/hiddenFields.ts';
import { maskObject, maskValue } from '../../kube/mask.ts';
import { type KubeObject } from '../../kube/object.ts';
import { printYaml } from '../../kube/yamlPrint.ts';
import type {
  ChangeView,
  FieldChangeView,
  PlanView,
  SourceLocation,
  StaleView,
} from '../../protocol/views.ts';
import type { Change, FieldChange } from '../../ssa/plan.ts';
import { complaintsOf } from '../../ssa/complaints.ts';
import { refusalHint } from '../../ssa/refusals.ts';
import type { StaleObject } from '../../ssa/previewPrune.ts';
import type { WorkloadPlan } from './planWorkload.ts';

/** The plan as it may leave the engine: values of Secrets masked, objects as YAML without what the server adds. */
export function planView(id: string, cluster: string, planned: WorkloadPlan): PlanView {
  return {
    id,
    ref: planned.ref,
    cluster,
    revision: planned.artifact.revision,
    identity: planned.identity,
    changes: planned.plan.changes.map((change) => changeView(change, planned.folder)),
    stale: planned.stale.map(staleView),
    diagnostics: planned.diagnostics,
    warnings: planned.warnings,
    notes: planned.notes,
    ...(planned.offeredLogins.length > 0 && { offeredLogins: planned.offeredLogins }),
  };
}

const views = new WeakMap<Change, { readonly folder: string | undefined; readonly view: ChangeView }>();

/** One change as it may leave the engine. A change that is judged as before is shown as before. */
export function changeView(change: Change, folder: string | undefined): ChangeView {
  const known = views.get(change);
  if (known !== undefined && known.folder === folder) return known.view;
  const view = makeChangeView(change, folder);
  views.set(change, { folder, view });
  return view;
}

function makeChangeView(change: Change, folder: string | undefined): ChangeView {
  const { live, merged, refusal } = change;
  const wanted = change.action === 'unchanged' && live !== undefined ? live : (merged ?? change.desired);
  const location = locationOf(change.origins.at(''), folder);
  return {
    ref: change.ref,
    action: change.action,
    verified: change.verified,
    approximate: change.approximate ?? false,
    ...(refusal !== undefined && {
      message: refusal.message,
      ...complaintsIn(change, folder),
      ...hintOf(change),
    }),
    fields: change.fields.map((field) => fieldView(change, field, folder)),
    ...(location !== undefined && { location }),
    desiredYaml: manifestYaml(wanted, change.hidden),
    ...(live !== undefined && { liveYaml: manifestYaml(live, change.hidden) }),
  };
}

function complaintsIn(change: Change, folder: string | undefined): Pick<ChangeView, 'complaints'> {
  const complaints = complaintsOf(change).flatMap(({ field, message, origin }) => {
    const location = locationOf(origin, folder);
    return field === undefined ? [] : [{ field, message, ...(location !== undefined && { location }) }];
  });
  return complaints.length === 0 ? {} : { complaints };
}

function hintOf({ ref, refusal }: Change): Pick<ChangeView, 'hint'> {
  return refusal === undefined ? {} : { hint: refusalHint(ref, refusal) };
}

/** An object as people compare it: masked, and without what every write of the server changes. */
export function manifestYaml(object: KubeObject, hidden?: HiddenFields): string {
  const known = manifests.get(object);
  if (known !== undefined && known.hidden === hidden) return known.text;
  const { status: _status, ...rest } = maskObject(object, hidden);
  const text = printYaml({ ...rest, metadata: withoutServerFields(rest.metadata) });
  manifests.set(object, { hidden, text });
  return text;
}

/** Objects are never mutated. */
const manifests = new WeakMap<
  KubeObject,
  { readonly hidden: HiddenFields | undefined; readonly text: string }
>();

const serverFields: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

function withoutServerFields(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !serverFields.has(key)));
}

function fieldView(change: Change, field: FieldChange, folder: string | undefined): FieldChangeView {
  const masked = (value: JsonValue): JsonValue =>
    plainNumbers(maskValue(change.desired, field.pointer, value, change.hidden));
  const location = locationOf(field.origin, folder);
  return {
    pointer: field.pointer,
    ...(field.desired !== undefined && { desired: masked(field.desired) }),
    ...(field.live !== undefined && { live: masked(field.live) }),
    cause: field.cause,
    owners: field.owners,
    ...(location !== undefined && { location }),
  };
}

/** Integers beyond 2^53 travel as text: JSON between processes has no bigint. */
function plainNumbers(value: JsonValue): JsonValue {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => plainNumbers(item as JsonValue));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === undefined ? undefined : plainNumbers(item)]),
  );
}

function locationOf(origin: Origin | undefined, folder: string | undefined): SourceLocation | undefined {
  return origin === undefined ? undefined : { ...origin, folder: folder ?? '' };
}

function staleView({ ref, verdict, consequences }: StaleObject): StaleView {
  switch (verdict.type) {
    case 'delete':
      return { ref, action: 'deleted', consequences };
    case 'keep':
      return { ref, action: 'skipped', reason: verdict.reason, consequences };
    case 'gone':
      return { ref, action: 'gone', consequences };
    case 'unknown':
      return {
        ref,
        action: 'skipped',
        reason: `it cannot be read (${verdict.refusal.reason}): ${verdict.refusal.message}`,
        consequences,
      };
  }
}
