import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../src/base/json.ts';
import { coreEvent, type FluxEvent } from '../../src/flux/events.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { EventRecorder } from '../../src/ssa/eventRecorder.ts';
import { fluxCluster } from './fluxCluster.ts';
import { manualClock } from '../tools/manualClock.ts';

const flux = await fluxCluster();
const namespace = await flux.sandbox.freshNamespace('events');
const start = Date.UTC(2026, 0, 1);
let unique = 0n;

function event(name: string, message: string, extra: Partial<FluxEvent> = {}): FluxEvent {
  return {
    object: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace, uid: name },
    },
    severity: 'info',
    reason: 'Progressing',
    message,
    metadata: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:a' },
    component: 'kustomize-controller',
    ...extra,
  };
}

async function eventsOf(name: string): Promise<readonly KubeObject[]> {
  const answer = await flux.client.list({ group: '', version: 'v1', kind: 'Event' }, { namespace });
  if (answer.type === 'refused') throw new Error(answer.refusal.message);
  const nameOf = (object: JsonValue | undefined): JsonValue | undefined =>
    (object as { name?: JsonValue } | undefined)?.name;
  return answer.value.filter((object) => nameOf(object['involvedObject']) === name);
}

function recorder(clock = manualClock(start)): { record(event: FluxEvent): void; flush(): Promise<void> } {
  const events = new EventRecorder(flux.client, clock, flux.kustomize.log);
  return {
    record: (given) => events.record(coreEvent(given, clock.now(), ++unique)),
    flush: () => events.flush(),
  };
}

test('a repeated event is one object that counts', async () => {
  const events = recorder();
  for (let count = 0; count < 3; count++) events.record(event('repeated', 'ConfigMap/a/b created'));
  await events.flush();
  const [found, ...more] = await eventsOf('repeated');
  assert.deepEqual(more, []);
  assert.equal(found?.['count'], 3);
  assert.equal(found?.['type'], 'Normal');
  assert.deepEqual(found?.['source'], { component: 'kustomize-controller' });
  assert.equal(found?.metadata.annotations?.['kustomize.toolkit.fluxcd.io/revision'], 'main@sha1:a');
});

test('many similar events are combined into one', async () => {
  const events = recorder();
  for (let count = 0; count < 14; count++) events.record(event('similar', `message ${count}`));
  await events.flush();
  const found = await eventsOf('similar');
  const messages = found.map((object) => String(object['message']));
  assert.equal(found.length, 10);
  assert.equal(
    messages.filter((message) => message.startsWith('(combined from similar events): ')).length,
    1,
  );
});

test('an object that floods is cut off, others are not', async () => {
  const events = recorder();
  for (let count = 0; count < 40; count++)
    events.record(event('flood', 'same', { reason: `Reason${count}` }));
  events.record(event('calm', 'one'));
  await events.flush();
  assert.equal((await eventsOf('flood')).length, 25);
  assert.equal((await eventsOf('calm')).length, 1);
});

test('an event whose object has expired is written anew', async () => {
  const events = recorder();
  events.record(event('expired', 'again'));
  await events.flush();
  const [first] = await eventsOf('expired');
  await flux.client.delete({
    group: '',
    version: 'v1',
    kind: 'Event',
    namespace,
    name: first?.metadata.name ?? '',
  });
  events.record(event('expired', 'again'));
  await events.flush();
  assert.equal((await eventsOf('expired')).length, 1);
});

test('a refused event is logged and nothing more', async () => {
  const events = recorder();
  const lost = event('lost', 'x');
  events.record({ ...lost, object: { ...lost.object, metadata: { name: 'lost', namespace: 'nowhere' } } });
  await events.flush();
  assert.ok(flux.log.some(({ message }) => message === 'event refused'));
});
