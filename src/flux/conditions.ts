import type { Condition } from './api/meta.gen.ts';

export type ConditionStatus = Condition['status'];

/** The conditions of one object, in the order Flux keeps them. */
export type Conditions = readonly Condition[];

/** The state a condition is set to; the rest follows from the object and the clock. */
export type ConditionState = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** What setting a condition takes from outside: the object's generation and the time in milliseconds. */
export interface Observation {
  readonly generation: number;
  readonly now: number;
}

const maxMessageBytes = 32_768;
const firstTypes = ['Stalled', 'Reconciling', 'Ready'];

/**
 * The conditions with one of them set, sorted. The transition time moves when status, reason or message changes.
 * Follows fluxcd/pkg runtime/conditions Set; upstream Kubernetes looks at the status alone.
 */
export function setCondition(conditions: Conditions, state: ConditionState, at: Observation): Conditions {
  const message = trimMessage(state.message);
  const existing = getCondition(conditions, state.type);
  const isSame =
    existing !== undefined &&
    existing.status === state.status &&
    existing.reason === state.reason &&
    existing.message === message;
  const condition: Condition = {
    type: state.type,
    status: state.status,
    observedGeneration: at.generation,
    lastTransitionTime: isSame ? existing.lastTransitionTime : formatTime(at.now),
    reason: state.reason,
    message,
  };
  return sortConditions([...removeCondition(conditions, state.type), condition]);
}

/** The conditions without that type. */
export function removeCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** Reconciling becomes True and Stalled goes: the start of a run, or a step of it. */
export function markReconciling(
  conditions: Conditions,
  reason: string,
  message: string,
  at: Observation,
): Conditions {
  const rest = removeCondition(conditions, 'Stalled');
  return setCondition(rest, { type: 'Reconciling', status: 'True', reason, message }, at);
}

/** Stalled becomes True and Reconciling goes: only a change by the user can help. */
export function markStalled(
  conditions: Conditions,
  reason: string,
  message: string,
  at: Observation,
): Conditions {
  const rest = removeCondition(conditions, 'Reconciling');
  return setCondition(rest, { type: 'Stalled', status: 'True', reason, message }, at);
}

export function getCondition(conditions: Conditions, type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** The status of a condition; one that is missing is Unknown. */
export function conditionStatus(conditions: Conditions, type: string): ConditionStatus {
  return getCondition(conditions, type)?.status ?? 'Unknown';
}

/** Ready is True, and the object is neither stalled nor being reconciled. */
export function isReady(conditions: Conditions): boolean {
  return (
    conditionStatus(conditions, 'Ready') === 'True' &&
    conditionStatus(conditions, 'Stalled') !== 'True' &&
    conditionStatus(conditions, 'Reconciling') !== 'True'
  );
}

export function isStalled(conditions: Conditions): boolean {
  return (
    conditionStatus(conditions, 'Stalled') === 'True' && conditionStatus(conditions, 'Reconciling') !== 'True'
  );
}

export function isReconciling(conditions: Conditions): boolean {
  return (
    conditionStatus(conditions, 'Reconciling') === 'True' && conditionStatus(conditions, 'Stalled') !== 'True'
  );
}

/** How a summary condition is made: `types` in order of priority, and those of them that are bad when True. */
export interface SummaryRule {
  readonly target: string;
  readonly types: readonly string[];
  readonly negative: readonly string[];
}

/**
 * The conditions with `target` set to the summary of the others: the worst group of (status, polarity) decides the
 * status, its first type in the rule's order gives reason and message. Unchanged when none of the types is there.
 * Follows fluxcd/pkg runtime/conditions SetSummary.
 */
export function summarizeConditions(conditions: Conditions, rule: SummaryRule, at: Observation): Conditions {
  const present = rule.types.flatMap((type) => getCondition(conditions, type) ?? []);
  const priority = (condition: Condition): number => summaryPriority(condition, rule);
  const worst = Math.min(...present.map(priority));
  const deciding = present.find((condition) => priority(condition) === worst);
  if (deciding === undefined) return conditions;
  const isNegative = rule.negative.includes(deciding.type) !== rule.negative.includes(rule.target);
  const status = isNegative ? invert(deciding.status) : deciding.status;
  return setCondition(
    conditions,
    { type: rule.target, status, reason: deciding.reason, message: deciding.message },
    at,
  );
}

/** Stalled, Reconciling and Ready first, then the latest observed generation, then the type. */
export function sortConditions(conditions: Conditions): Conditions {
  return conditions.toSorted((a, b) => {
    const byRank = rank(a) - rank(b);
    if (byRank !== 0) return byRank;
    const byGeneration = (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0);
    if (byGeneration !== 0) return byGeneration;
    return a.type < b.type ? -1 : a.type > b.type ? 1 : 0;
  });
}

/** The time as Kubernetes writes it: RFC 3339 in UTC, cut to whole seconds. */
export function formatTime(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

function rank(condition: Condition): number {
  const index = firstTypes.indexOf(condition.type);
  return index < 0 ? firstTypes.length : index;
}

function summaryPriority(condition: Condition, rule: SummaryRule): number {
  const isNegative = rule.negative.includes(condition.type);
  switch (condition.status) {
    case 'True':
      return isNegative ? 0 : 2;
    case 'False':
      return isNegative ? 3 : 1;
    case 'Unknown':
      return 4;
  }
}

function invert(status: ConditionStatus): ConditionStatus {
  if (status === 'Unknown') return status;
  return status === 'True' ? 'False' : 'True';
}

function trimMessage(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.byteLength <= maxMessageBytes) return message;
  let end = maxMessageBytes - 3;
  // Never through the middle of a character: continuation bytes start with the bits 10.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}...`;
}
