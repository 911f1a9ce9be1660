import { followerOn } from '../../src/ssa/followObjects.ts';
import { refKey } from '../../src/kube/object.ts';
import type { RunContext } from '../../src/ssa/runContext.ts';

/**
 * A context in which a sleep of that length, a wait's timeout, is over once every object of the wait was looked at: nobody
 * sits it out, and what the wait then says does not depend on how fast the server answered.
 */
export function impatient<T extends RunContext>(ctx: T, timeoutMs: number): T {
  const looked = Promise.withResolvers<void>();
  const follower = ctx.follower ?? followerOn(ctx.cluster);
  return {
    ...ctx,
    follower: {
      follow(refs, listener, signal) {
        const left = new Set(refs.map(refKey));
        return follower.follow(
          refs,
          (ref, object) => {
            listener(ref, object);
            left.delete(refKey(ref));
            if (left.size === 0) looked.resolve();
          },
          signal,
        );
      },
    },
    clock: {
      ...ctx.clock,
      sleep: (ms, signal) => (ms === timeoutMs ? looked.promise : ctx.clock.sleep(ms, signal)),
    },
  };
}
