import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError, plumbError } from './plumbError.ts';
import { unlessAborted } from './unlessAborted.ts';

const never = new Promise<string>(() => undefined);

test('work that ends first gives its outcome', async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve('done'), signal), 'done');
  await assert.rejects(unlessAborted(Promise.reject(new Error('broken')), signal), /broken/);
});

test('an abort is Cancelled, whether it came before or comes later', async () => {
  const controller = new AbortController();
  const waiting = unlessAborted(never, controller.signal);
  controller.abort();
  await assert.rejects(waiting, (error) => isPlumbError(error, 'Cancelled'));
  await assert.rejects(unlessAborted(never, controller.signal), (error) => isPlumbError(error, 'Cancelled'));
});

test('an abort that says why in our words is told in them', async () => {
  const reason = plumbError('PlanOutdated', { message: 'the Leases were lost' });
  await assert.rejects(unlessAborted(never, AbortSignal.abort(reason)), (error) => error === reason);
});
