import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import { plumbError } from '../../base/plumbError.ts';
import { type ObjectRef, refKey } from '../../kube/object.ts';
import type { Change } from '../../ssa/plan.ts';
import { DriftedObjects, driftedIn } from './driftedObjects.ts';

const apps: ObjectRef = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  name: 'apps',
};
const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const origins = { at: () => undefined, entries: () => [] };

function change(action: Change['action'], cause?: Change['fields'][number]['cause']): Change {
  const fields = cause === undefined ? [] : [{ pointer: '/spec/replicas', cause, owners: [] }];
  const desired = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
  return { ref: web, action, desired, fields, origins, verified: true };
}

describe('the objects of a plan that drifted', () => {
  const cases: readonly (readonly [string, Change, readonly ObjectRef[], boolean, boolean])[] = [
    ['a field that the cluster changed', change('configured', 'drifted'), [web], false, true],
    ['a field that both changed', change('configured', 'both'), [web], false, true],
    ['a field that only the files changed', change('configured', 'edited'), [web], false, false],
    ['any difference to the applied revision itself', change('configured', 'unknown'), [web], true, true],
    ['a recorded object that is gone', change('created'), [web], false, true],
    ['a new object of the files', change('created'), [], false, false],
    ['an unchanged object', change('unchanged'), [web], true, false],
    ['an ignored object', change('skipped', 'drifted'), [web], true, false],
  ];
  for (const [name, each, inventory, isLastApplied, expected] of cases)
    it(`${expected ? 'include' : 'leave out'} ${name}`, () =>
      assert.equal(driftedIn([each], inventory, isLastApplied).has(refKey(web)), expected));
});

describe('looking for drift in the background', () => {
  const made = (answers: (ReadonlySet<string> | Error)[]) => {
    const calls = { found: 0, changed: 0 };
    const drifted = new DriftedObjects({
      find: async () => {
        const answer = answers[Math.min(calls.found++, answers.length - 1)];
        if (answer instanceof Error) throw answer;
        return answer ?? new Set();
      },
      onChange: () => calls.changed++,
      log: silentLogger,
      signal: new AbortController().signal,
    });
    const review = async (fingerprint: string) => {
      drifted.review([{ ref: apps, fingerprint }]);
      await drifted.settled();
    };
    return { calls, drifted, review };
  };

  it('asks again only when something changed, and tells only of another answer', async () => {
    const { calls, drifted, review } = made([new Set(), new Set(['a']), new Set(['a'])]);
    await review('1');
    await review('1');
    assert.deepEqual(calls, { found: 1, changed: 0 });
    await review('2');
    await review('3');
    assert.deepEqual(calls, { found: 3, changed: 1 });
    assert.deepEqual(drifted.of(apps), new Set(['a']));
  });

  it('knows nothing of a workload that cannot be planned', async () => {
    const failure = plumbError('BuildFailed', { message: 'no such file' });
    const { calls, drifted, review } = made([new Set(['a']), failure]);
    await review('1');
    await review('2');
    assert.equal(drifted.of(apps), undefined);
    assert.equal(calls.changed, 2);
  });
});
