import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { Tripwire } from './tripwire.ts';

interface Write {
  readonly manager: string;
  readonly subresource?: string;
  readonly time?: string;
}

/** A Kustomization as a server would hold it after these writes, the last of which gave it the version. */
function kustomization(version: number, status: string, writes: readonly Write[]): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name: 'apps',
      namespace: 'flux-system',
      resourceVersion: String(version),
      managedFields: writes.map(({ manager, subresource = 'status', time = '2026-01-01T10:00:00Z' }) => ({
        manager,
        operation: 'Update',
        subresource,
        time,
      })),
    },
    status: { message: status },
  };
}

const controller = { manager: 'gotk-kustomize-controller' };
const later = { ...controller, time: '2026-01-01T10:00:05Z' };
const before = kustomization(10, 'a', [controller]);
const ref = refOf(before);
const answered = (value: KubeObject): Promise<Answer> => Promise.resolve({ type: 'ok', value, warnings: [] });

function armed(): { readonly tripwire: Tripwire; readonly tripped: string[] } {
  const tripped: string[] = [];
  const tripwire = new Tripwire({
    isExempt: ({ metadata }) => metadata.annotations?.['overridden'] !== undefined,
    onTripped: (why) => tripped.push(why),
  });
  tripwire.arm([before]);
  return { tripwire, tripped };
}

test('a status under a controller’s name that we did not write trips it once, naming writer, object and time', () => {
  const { tripwire, tripped } = armed();
  tripwire.saw(kustomization(11, 'b', [later]));
  tripwire.saw(kustomization(12, 'c', [{ ...later, time: '2026-01-01T10:00:06Z' }]));
  assert.equal(tripped.length, 1);
  assert.match(
    tripped[0] ?? '',
    /^gotk-kustomize-controller wrote the status of Kustomization\/flux-system\/apps at 2026-01-01T10:00:05Z/,
  );
});

test('a watch that lists again and leaves our version out does not take our status for a foreign one', async () => {
  const { tripwire, tripped } = armed();
  await tripwire.own(ref, () => answered(kustomization(11, 'b', [later])));
  tripwire.saw(kustomization(12, 'b', [later, { manager: 'kubectl', subresource: '' }]));
  assert.deepEqual(tripped, []);
  tripwire.saw(kustomization(13, 'c', [{ ...later, time: '2026-01-01T10:00:09Z' }]));
  assert.equal(tripped.length, 1);
});

test('a second write of the same controller within the same second trips it too', () => {
  const { tripwire, tripped } = armed();
  tripwire.saw(kustomization(11, 'b', [controller]));
  assert.equal(tripped.length, 1);
});

test('our own write does not, whether its answer or its watch event comes first', async () => {
  const { tripwire, tripped } = armed();
  const first = kustomization(11, 'b', [later]);
  await tripwire.own(ref, () => answered(first));
  tripwire.saw(first);
  const second = kustomization(12, 'c', [{ ...later, time: '2026-01-01T10:00:06Z' }]);
  await tripwire.own(ref, () => {
    tripwire.saw(second);
    return answered(second);
  });
  assert.deepEqual(tripped, []);
});

test('a foreign write seen while ours is on its way is judged after ours was answered', async () => {
  const { tripwire, tripped } = armed();
  const ours = kustomization(12, 'c', [{ ...later, time: '2026-01-01T10:00:06Z' }]);
  await tripwire.own(ref, () => {
    tripwire.saw(kustomization(11, 'b', [later]));
    assert.deepEqual(tripped, []);
    return answered(ours);
  });
  assert.equal(tripped.length, 1);
});

test('a write of ours that was never answered may be ours, the next one is not', async () => {
  const { tripwire, tripped } = armed();
  await assert.rejects(tripwire.own(ref, () => Promise.reject(new Error('reset'))));
  tripwire.saw(kustomization(11, 'b', [later]));
  assert.deepEqual(tripped, []);
  tripwire.saw(kustomization(12, 'c', [{ ...later, time: '2026-01-01T10:00:06Z' }]));
  assert.equal(tripped.length, 1);
});

test('what stays quiet: older versions, metadata, other managers, objects under an override, kinds that are not Flux’s', () => {
  const { tripwire, tripped } = armed();
  tripwire.saw(kustomization(9, 'old', [later]));
  tripwire.saw(kustomization(11, 'a', [controller, { manager: 'kubectl', subresource: '' }]));
  tripwire.saw(kustomization(12, 'b', [controller, { manager: 'kubectl-edit' }]));
  const overridden = kustomization(13, 'c', [later]);
  tripwire.saw({ ...overridden, metadata: { ...overridden.metadata, annotations: { overridden: '' } } });
  tripwire.saw({ ...kustomization(14, 'd', [later]), apiVersion: 'apps/v1', kind: 'Deployment' });
  tripwire.disarm();
  tripwire.saw(kustomization(15, 'e', [{ ...later, time: '2026-01-01T10:00:09Z' }]));
  assert.deepEqual(tripped, []);
});

test('a write that was sent twice accounts for the version of its first, unanswered try', async () => {
  const { tripwire, tripped } = armed();
  const first = kustomization(11, 'b', [later]);
  const second = kustomization(12, 'b', [{ ...later, time: '2026-01-01T10:00:06Z' }]);
  await tripwire.own(ref, async () => ({ ...(await answered(second)), retried: true }));
  tripwire.saw(first);
  tripwire.saw(second);
  assert.deepEqual(tripped, []);
  tripwire.saw(kustomization(13, 'c', [{ ...later, time: '2026-01-01T10:00:07Z' }]));
  assert.equal(tripped.length, 1);
});

test('an object is current when it is as new as the Leases and as our own writes', async () => {
  const { tripwire } = armed();
  const now = kustomization(11, 'b', [later]);
  assert.equal(tripwire.isCurrent(before), true);
  assert.equal(tripwire.isCurrent(kustomization(9, 'z', [])), false, 'from before the Leases');
  const answer = Promise.withResolvers<Answer>();
  const writing = tripwire.own(ref, () => answer.promise);
  assert.equal(tripwire.isCurrent(before), false, 'while we write');
  answer.resolve(await answered(now));
  await writing;
  assert.equal(tripwire.isCurrent(before), false, 'from before our write');
  assert.equal(tripwire.isCurrent(now), true);
  await assert.rejects(tripwire.own(ref, () => Promise.reject(new Error('no answer'))));
  assert.equal(tripwire.isCurrent(now), false, 'what we wrote is not known');
  tripwire.disarm();
  assert.equal(tripwire.isCurrent(kustomization(12, 'c', [])), false, 'without the Leases');
});
