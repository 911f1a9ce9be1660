import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as errors from './plumbError.ts';
import { asPlumbError, isPlumbError, plumbError } from './plumbError.ts';

test('an error of another bundle, with a class of its own, keeps code, kind and hint', async () => {
  const copy = './plumbError.ts?another-bundle';
  const foreign = (await import(copy)) as typeof errors;
  const error = foreign.plumbError('AccessDenied', { message: 'forbidden', hint: 'ask for the right' });
  assert.ok(isPlumbError(error, 'AccessDenied'));
  assert.equal(asPlumbError(error), error);
  assert.equal(asPlumbError(error).hint, 'ask for the right');
  assert.equal(asPlumbError(foreign.plumbError('Cancelled', { message: 'x' })).kind, 'cancelled');
});

test('strangers become Internal with their cause, aborts become Cancelled', () => {
  const stranger = new TypeError('x is not a function');
  assert.deepEqual([asPlumbError(stranger).code, asPlumbError(stranger).cause], ['Internal', stranger]);
  assert.equal(asPlumbError(AbortSignal.abort().reason).code, 'Cancelled');
  assert.equal(isPlumbError(plumbError('NotFound', { message: 'x' }), 'AccessDenied'), false);
  assert.equal(isPlumbError({ name: 'PlumbError', code: 'NotFound' }), false);
});
