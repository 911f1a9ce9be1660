import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../test/tools/manualClock.ts';
import type { NextRun } from '../ssa/runOutcome.ts';
import { Queue } from './queue.ts';

interface Run {
  readonly key: string;
  readonly end: (next: NextRun) => void;
}

function scriptedQueue(slots: number) {
  const clock = manualClock();
  const runs: Run[] = [];
  const queue = new Queue({ slots, clock, run: (key) => new Promise((end) => runs.push({ key, end })) });
  return { clock, runs, queue };
}

test('a key runs once at a time and once more for requests that came meanwhile', async () => {
  const { clock, runs, queue } = scriptedQueue(4);
  queue.enqueue('a');
  queue.enqueue('a');
  queue.enqueue('a');
  assert.equal(runs.length, 1);
  runs[0]?.end({ type: 'done' });
  await clock.advance(0);
  assert.equal(runs.length, 2);
  runs[1]?.end({ type: 'done' });
  await clock.advance(0);
  assert.deepEqual([runs.length, queue.running()], [2, []]);
});

test('no more run at once than there are slots', async () => {
  const { clock, runs, queue } = scriptedQueue(2);
  for (const key of ['a', 'b', 'c']) queue.enqueue(key);
  assert.deepEqual(queue.running(), ['a', 'b']);
  runs[0]?.end({ type: 'done' });
  await clock.advance(0);
  assert.deepEqual(queue.running(), ['b', 'c']);
});

test('a failing key backs off from 750 ms, doubling, and starts over after a success', async () => {
  const { clock, runs, queue } = scriptedQueue(1);
  queue.enqueue('a');
  for (const delay of [750, 1500, 3000]) {
    runs.at(-1)?.end({ type: 'backoff' });
    const before = runs.length;
    await clock.advance(delay - 1);
    assert.equal(runs.length, before);
    await clock.advance(1);
    assert.equal(runs.length, before + 1);
  }
  runs.at(-1)?.end({ type: 'after', delay: 10 });
  await clock.advance(10);
  runs.at(-1)?.end({ type: 'backoff' });
  const before = runs.length;
  await clock.advance(750);
  assert.equal(runs.length, before + 1);
});

test('an early request replaces the scheduled run', async () => {
  const { clock, runs, queue } = scriptedQueue(1);
  queue.enqueueAfter('a', 1000);
  queue.enqueue('a');
  runs[0]?.end({ type: 'done' });
  await clock.advance(5000);
  assert.equal(runs.length, 1);
  assert.equal(clock.sleeping(), 0);
});

test('a parked run gives its slot away and takes one again before it goes on', async () => {
  const clock = manualClock();
  const order: string[] = [];
  let healthy = (): void => undefined;
  let finishOther = (): void => undefined;
  const queue = new Queue({
    slots: 1,
    clock,
    run: async (key, slot) => {
      if (key === 'waits') {
        await slot.park(() => new Promise<void>((resolve) => (healthy = resolve)));
      } else {
        await new Promise<void>((resolve) => (finishOther = resolve));
      }
      order.push(key);
      return { type: 'done' };
    },
  });
  queue.enqueue('waits');
  queue.enqueue('other');
  await clock.advance(0);
  healthy();
  await clock.advance(0);
  assert.deepEqual(order, []); // The slot is taken by the other run.
  finishOther();
  await clock.advance(0);
  assert.deepEqual(order, ['other', 'waits']);
});

test('stop waits for runs in progress and starts no new ones', async () => {
  const { clock, runs, queue } = scriptedQueue(1);
  queue.enqueue('a');
  queue.enqueue('b');
  queue.enqueueAfter('c', 10);
  let stopped = false;
  void queue.stop().then(() => (stopped = true));
  await clock.advance(100);
  assert.equal(stopped, false);
  runs[0]?.end({ type: 'after', delay: 1 });
  await clock.advance(100);
  assert.deepEqual([stopped, runs.length], [true, 1]);
});
