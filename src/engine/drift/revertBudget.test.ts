import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RevertBudget } from './revertBudget.ts';

const minute = 60_000;

test('an object is reverted at most once a minute', () => {
  const budget = new RevertBudget();
  assert.deepEqual(budget.decide('a', 0), { type: 'revert' });
  budget.reverted('a', 0);
  assert.deepEqual(budget.decide('a', 20_000), { type: 'later', delayMs: 40_000 });
  assert.deepEqual(budget.decide('a', minute), { type: 'revert' });
  assert.deepEqual(budget.decide('b', 20_000), { type: 'revert' });
});

test('after three reverts in ten minutes it stops, and may go on when they are past', () => {
  const budget = new RevertBudget();
  for (const at of [0, 2, 4]) budget.reverted('a', at * minute);
  assert.deepEqual(budget.decide('a', 6 * minute), { type: 'stop' });
  assert.deepEqual(budget.decide('a', 10 * minute), { type: 'revert' });
});
