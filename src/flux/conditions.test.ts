import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conditionStatus,
  getCondition,
  isReady,
  isReconciling,
  isStalled,
  markReconciling,
  markStalled,
  setCondition,
  summarizeConditions,
  type Conditions,
  type ConditionState,
} from './conditions.ts';

const noon = Date.UTC(2026, 0, 1, 12, 0, 0, 987);
const at = { generation: 3, now: noon };
const later = { generation: 4, now: noon + 60_000 };

function conditionsOf(...states: readonly string[]): Conditions {
  return states.reduce<Conditions>((conditions, text) => {
    const [type = '', status = '', reason = '', message = ''] = text.split(' ');
    return setCondition(conditions, { type, status, reason, message } as ConditionState, at);
  }, []);
}

test('a condition carries the generation and the time in whole seconds', () => {
  assert.deepEqual(conditionsOf('Ready True Succeeded done'), [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Succeeded',
      message: 'done',
      observedGeneration: 3,
      lastTransitionTime: '2026-01-01T12:00:00Z',
    },
  ]);
});

test('the transition time moves when status, reason or message changes, and only then', () => {
  const before = conditionsOf('Ready True Succeeded one');
  const cases: readonly (readonly [ConditionState, string])[] = [
    [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'one' }, '2026-01-01T12:00:00Z'],
    [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'two' }, '2026-01-01T12:01:00Z'],
    [{ type: 'Ready', status: 'True', reason: 'Other', message: 'one' }, '2026-01-01T12:01:00Z'],
    [{ type: 'Ready', status: 'False', reason: 'Succeeded', message: 'one' }, '2026-01-01T12:01:00Z'],
  ];
  for (const [state, time] of cases) {
    const condition = getCondition(setCondition(before, state, later), 'Ready');
    assert.equal(condition?.lastTransitionTime, time, JSON.stringify(state));
    assert.equal(condition?.observedGeneration, 4);
  }
});

test('Stalled, Reconciling and Ready stand first, the others by latest generation, then by type', () => {
  const old = conditionsOf(
    'Zulu True A',
    'Alpha True A',
    'Ready True A',
    'Reconciling True A',
    'Stalled True A',
  );
  const conditions = setCondition(old, { type: 'Mike', status: 'True', reason: 'A', message: '' }, later);
  assert.deepEqual(
    conditions.map((condition) => condition.type),
    ['Stalled', 'Reconciling', 'Ready', 'Mike', 'Alpha', 'Zulu'],
  );
});

test('marking reconciling ends stalled, marking stalled ends reconciling', () => {
  const stalled = markStalled(conditionsOf('Reconciling True Progressing'), 'InvalidPath', 'no', at);
  assert.deepEqual(
    stalled.map((condition) => condition.type),
    ['Stalled'],
  );
  const reconciling = markReconciling(stalled, 'Progressing', 'again', at);
  assert.deepEqual(
    reconciling.map((condition) => condition.type),
    ['Reconciling'],
  );
});

test('ready means Ready without Stalled or Reconciling; a missing condition is Unknown', () => {
  assert.equal(isReady(conditionsOf('Ready True A')), true);
  assert.equal(isReady(conditionsOf('Ready True A', 'Reconciling True A')), false);
  assert.equal(isReady(conditionsOf('Ready True A', 'Stalled True A')), false);
  assert.equal(isReady([]), false);
  assert.equal(conditionStatus([], 'Ready'), 'Unknown');
  assert.equal(isStalled(conditionsOf('Stalled True A', 'Reconciling True A')), false);
  assert.equal(isStalled(conditionsOf('Stalled True A')), true);
  assert.equal(isReconciling(conditionsOf('Reconciling True A')), true);
  assert.equal(isReconciling(conditionsOf('Stalled True A', 'Reconciling True A')), false);
});

test('a message over 32768 bytes is cut at a character and ends in dots', () => {
  const message = getCondition(
    setCondition([], { type: 'Ready', status: 'False', reason: 'A', message: 'é'.repeat(20_000) }, at),
    'Ready',
  )?.message;
  assert.equal(Buffer.byteLength(message ?? ''), 32_767);
  assert.ok(message?.endsWith('é...'));
});

test('a summary takes the worst group, and its first type in the order of the rule', () => {
  const rule = {
    target: 'Ready',
    types: [
      'StorageOperationFailed',
      'FetchFailed',
      'ArtifactOutdated',
      'ArtifactInStorage',
      'SourceVerified',
    ],
    negative: ['StorageOperationFailed', 'FetchFailed', 'ArtifactOutdated'],
  };
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['ArtifactInStorage True Succeeded stored'], 'True Succeeded stored'],
    [['ArtifactInStorage True Succeeded stored', 'FetchFailed True Auth no'], 'False Auth no'],
    [['ArtifactOutdated True New rev', 'FetchFailed True Auth no'], 'False Auth no'],
    [['ArtifactInStorage True Succeeded stored', 'SourceVerified False Bad sig'], 'False Bad sig'],
    [['FetchFailed False Fine f'], 'True Fine f'],
    [['FetchFailed Unknown Why w'], 'Unknown Why w'],
    [['SourceVerified True V v', 'ArtifactInStorage True S s'], 'True S s'],
  ];
  for (const [states, expected] of cases) {
    const ready = getCondition(summarizeConditions(conditionsOf(...states), rule, at), 'Ready');
    assert.equal(`${ready?.status} ${ready?.reason} ${ready?.message}`, expected, states.join('; '));
  }
  assert.deepEqual(summarizeConditions([], rule, at), []);
});
