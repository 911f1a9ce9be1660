import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plumbError } from '../base/plumbError.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { isTemporaryRefusal, resend } from './resend.ts';

const ok = 'answered';

function unreachable(code: string): Error {
  return plumbError('ClusterUnreachable', { message: code, cause: Object.assign(new Error(code), { code }) });
}

interface Options {
  /** How long each try takes. */
  readonly tryMs?: number;
  readonly over?: AbortController;
}

/** What a call that meets these ends one after the other ends with itself, and the pauses before each further try. */
async function sent(
  ends: readonly (string | Error)[],
  { tryMs = 0, over = new AbortController() }: Options = {},
) {
  let now = 0;
  let times = 0;
  const pauses: number[] = [];
  const clock = {
    now: () => now,
    sleep: (ms: number) => {
      pauses.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
  const end = await resend(
    { clock, signal: over.signal },
    () => {
      now += tryMs;
      const next = ends[Math.min(times++, ends.length - 1)] ?? '';
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    (answer) => answer === 'busy',
  ).catch((error: unknown) => error);
  return { end, times, pauses };
}

test('what broke is sent again with growing pauses, and at most five times', async () => {
  const broken = unreachable('ECONNRESET');
  assert.deepEqual(await sent([broken, 'busy', ok]), { end: ok, times: 3, pauses: [100, 200] });
  assert.deepEqual(await sent([broken]), { end: broken, times: 5, pauses: [100, 200, 400, 800] });
  assert.deepEqual((await sent(['busy'])).end, 'busy');
});

test('what cannot be mended by asking again is not asked again', async () => {
  for (const error of [
    unreachable('ECONNREFUSED'),
    unreachable('CERT_HAS_EXPIRED'),
    plumbError('AuthenticationFailed', { message: 'log in' }),
    plumbError('PlanOutdated', { message: 'local mode ended' }),
  ])
    assert.equal((await sent([error, ok])).times, 1, error.message);
});

test('nothing is sent again once the run is over, nor for long where each try takes long', async () => {
  const over = new AbortController();
  over.abort();
  assert.equal((await sent([unreachable('ECONNRESET'), ok], { over })).times, 1);
  assert.equal((await sent([unreachable('ETIMEDOUT')], { tryMs: 60_000 })).times, 2);
});

test('only a server that could not answer is temporary, and a webhook that failed is not', () => {
  const refused = (httpStatus: number, message: string): Answer => ({
    type: 'refused',
    refusal: { httpStatus, reason: '', message, causes: [] },
  });
  const asked: readonly (readonly [isTemporary: boolean, answer: Answer])[] = [
    [true, refused(500, 'etcdserver: leader changed')],
    [true, refused(503, 'the server is currently unable to handle the request')],
    [false, refused(500, 'failed calling webhook "a.b.c": context deadline exceeded')],
    [false, refused(500, 'failed to create typed patch object (a/b; v1, Kind=C): .x: expected numeric')],
    [false, refused(404, 'not found')],
    [false, refused(409, 'the object has been modified')],
    [false, refused(422, 'invalid')],
  ];
  for (const [isTemporary, answer] of asked) assert.equal(isTemporaryRefusal(answer), isTemporary);
});
