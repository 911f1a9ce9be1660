import { isJsonObject, type JsonValue } from '../base/json.ts';
import { formatRef, refOf, type KubeObject } from '../kube/object.ts';
import type { RunContext } from './runContext.ts';

/**
 * What the last Warning event about each object says, `Pod/web/app-1: FailedMount: …`, for objects whose status does not tell why
 * they are stuck. Nothing where events may not be read: the reason for a failure is never the failure.
 */
export async function lastWarnings(
  ctx: RunContext,
  objects: readonly KubeObject[],
): Promise<readonly string[]> {
  const warnings = await Promise.all(objects.map((object) => lastWarning(ctx, object)));
  return warnings.filter((warning) => warning !== undefined);
}

async function lastWarning(ctx: RunContext, object: KubeObject): Promise<string | undefined> {
  const { uid, namespace = 'default' } = object.metadata;
  if (uid === undefined) return undefined;
  const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
  const events = await ctx.cluster.list(
    { group: '', version: 'v1', kind: 'Event' },
    { namespace, fieldSelector },
    ctx.signal,
  );
  if (events.type === 'refused') return undefined;
  const last = events.value.reduce<KubeObject | undefined>(
    (latest, event) => (latest === undefined || timeOf(event) >= timeOf(latest) ? event : latest),
    undefined,
  );
  if (last === undefined) return undefined;
  return `${formatRef(refOf(object))}: ${textOf(last['reason'])}: ${textOf(last['message'])}`;
}

/** Old and new recorders set different times; one in a series has its own. */
function timeOf(event: KubeObject): string {
  const series = isJsonObject(event['series']) ? event['series'] : {};
  const times = [series['lastObservedTime'], event['lastTimestamp'], event['eventTime']];
  return times.map(textOf).find((time) => time !== '') ?? '';
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
