import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusView } from '../../protocol/views.ts';
import { bindingFor, bindingStep, chosenBinding, remembered, type Binding } from './binding.ts';

function answered(context: string, uid: string | undefined, reachable = true): StatusView {
  return {
    folders: [],
    cluster: {
      context,
      server: 'https://example',
      reachable,
      mode: 'observe',
      reconciler: 'none',
      ...(uid !== undefined && { uid }),
    },
    counts: { failed: 0, drifted: 0, progressing: 0, waiting: 0, suspended: 0, ready: 0, unknown: 0 },
    running: [],
  };
}

const staging: Binding = { context: 'staging', clusterUid: 'u1', from: 'currentContext' };

describe('the binding of a workspace to a cluster', () => {
  it('begins with the first cluster that answers, and says who named it', () => {
    assert.deepEqual(bindingStep(undefined, '', answered('staging', 'u1')), {
      type: 'bind',
      binding: staging,
    });
    assert.deepEqual(bindingStep(undefined, 'staging', answered('staging', 'u1')), {
      type: 'bind',
      binding: { ...staging, from: 'setting' },
    });
    const chosen: Binding = { context: 'prod', from: 'chosen' };
    assert.deepEqual(bindingStep(chosen, '', answered('prod', 'u2')), {
      type: 'bind',
      binding: { ...chosen, clusterUid: 'u2' },
    });
  });

  it('is not made with a cluster that did not answer or cannot be told from others', () => {
    for (const status of [undefined, answered('staging', 'u1', false), answered('staging', undefined)])
      assert.deepEqual(bindingStep(undefined, '', status), { type: 'keep' });
  });

  it('asks when the context leads to another cluster', () => {
    assert.deepEqual(bindingStep(staging, '', answered('staging', 'u1')), { type: 'keep' });
    assert.deepEqual(bindingStep(staging, '', answered('staging', 'u9')), {
      type: 'ask',
      context: 'staging',
    });
  });

  it('keeps to its context when the kubeconfig names another one', () => {
    assert.equal(bindingFor(staging, ''), staging);
    assert.deepEqual(bindingStep(staging, '', answered('prod', 'u2')), { type: 'keep' });
  });

  it('gives way to a setting that names another context, unless it was chosen here', () => {
    assert.equal(bindingFor(staging, 'prod'), undefined);
    assert.equal(bindingFor({ ...staging, from: 'setting' }, ''), undefined);
    const chosen: Binding = { ...staging, from: 'chosen' };
    assert.equal(bindingFor(chosen, 'prod'), chosen);
  });

  it('is the one from before when a context is chosen again: another cluster behind it is asked about', () => {
    const known = remembered([{ context: 'prod', clusterUid: 'u2', from: 'chosen' }], staging);
    assert.deepEqual(
      known.map(({ context }) => context),
      ['staging', 'prod'],
    );
    const again = chosenBinding('prod', known, { uid: 'u9', path: 'clusters/prod' });
    assert.deepEqual(again, { context: 'prod', clusterUid: 'u2', path: 'clusters/prod', from: 'chosen' });
    assert.deepEqual(bindingStep(again, '', answered('prod', 'u9')), { type: 'ask', context: 'prod' });
    assert.equal(remembered(known, again).length, 2);
  });

  it('takes cluster and path from what was found, and keeps the path at the first answer', () => {
    const found = chosenBinding('dev', [], { uid: 'u5', path: 'clusters/dev' });
    assert.deepEqual(found, { context: 'dev', clusterUid: 'u5', path: 'clusters/dev', from: 'chosen' });
    const unknown: Binding = { context: 'dev', path: 'clusters/dev', from: 'chosen' };
    assert.deepEqual(bindingStep(unknown, '', answered('dev', 'u5')), { type: 'bind', binding: found });
    assert.deepEqual(chosenBinding('dev', [], undefined), { context: 'dev', from: 'chosen' });
  });
});
