import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChangeView, PlanView, StaleView } from '../../protocol/views.ts';
import { diffPairs, PlanStore } from './planDocuments.ts';
import { applyConfirmation, diffSummary, loginQuestion, pruneConfirmation, valueText } from './planText.ts';

const deployment = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const configMap = { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'old' };

const scaled: ChangeView = {
  ref: deployment,
  action: 'configured',
  verified: true,
  approximate: false,
  fields: [{ pointer: '/spec/replicas', desired: 3, live: 5, cause: 'drifted', owners: [] }],
  desiredYaml: 'spec:\n  replicas: 3\n',
  liveYaml: 'spec:\n  replicas: 5\n',
};

function planOf(changes: readonly ChangeView[], stale: readonly StaleView[] = []): PlanView {
  return {
    id: 'plan-1',
    ref: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' },
    cluster: 'dev',
    revision: 'main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
    identity: 'kustomize-controller',
    changes,
    stale,
    diagnostics: [],
    warnings: [],
    notes: [],
  };
}

describe('the question for the own login', () => {
  it('names the clouds and the workload, and is asked only where a login would help', () => {
    assert.equal(loginQuestion(planOf([])), undefined);
    assert.equal(
      loginQuestion({ ...planOf([]), offeredLogins: ['AWS KMS', 'Google Cloud KMS'] }),
      'The controllers open keys of AWS KMS and Google Cloud KMS for Kustomization/apps with their workload identity. Use your own login there instead?',
    );
  });
});

describe('the question before an apply', () => {
  it('names cluster, identity, objects and fields', () => {
    assert.deepEqual(applyConfirmation(planOf([scaled])), {
      message: 'Apply 1 change of Kustomization/apps to the cluster dev?',
      detail:
        'Revision main@1a2b3c4, with the rights of kustomize-controller.\n\n' +
        'change Deployment/shop/web\n    /spec/replicas: 5 → 3',
      button: 'Apply 1 Change',
    });
  });

  it('is not asked when nothing would be written', () => {
    const unchanged = { ...scaled, action: 'unchanged', fields: [] } as const;
    assert.equal(applyConfirmation(planOf([unchanged])), undefined);
    assert.equal(diffSummary(planOf([unchanged])), 'Kustomization/apps: the cluster dev is true to Git');
  });

  it('says that a diff is a guess where no dry-run is allowed', () => {
    assert.match(
      diffSummary(planOf([{ ...scaled, approximate: true }])),
      /1 object would change .*approximate/,
    );
    assert.doesNotMatch(diffSummary(planOf([scaled])), /approximate/);
  });

  it('says what is not verified and what the server refused', () => {
    const refused = { ...scaled, verified: false, message: 'namespaces "shop" not found' };
    const detail = applyConfirmation(planOf([refused]))?.detail ?? '';
    assert.match(detail, /not verified yet/);
    assert.match(detail, /the server says: namespaces "shop" not found/);
  });

  it('stays short for many changes', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...scaled,
      ref: { ...deployment, name: `web-${index}` },
    }));
    const lines = applyConfirmation(planOf(many))?.detail.split('\n') ?? [];
    assert.equal(lines.at(-1), '… and 67 more lines');
    assert.equal(lines.length, 16);
  });
});

describe('the question before a prune', () => {
  const stale: StaleView = {
    ref: configMap,
    action: 'deleted',
    consequences: ['2 volume claims with their data'],
  };

  it('names what vanishes with an object, and what stays', () => {
    const kept = { ref: deployment, action: 'skipped', reason: 'prune: disabled', consequences: [] } as const;
    const question = pruneConfirmation(planOf([scaled], [stale, kept]));
    assert.equal(question?.message, 'Delete 1 object of Kustomization/apps from the cluster dev?');
    assert.match(question?.detail ?? '', /delete ConfigMap\/shop\/old\n {4}2 volume claims with their data/);
    assert.match(question?.detail ?? '', /keep Deployment\/shop\/web \(prune: disabled\)/);
  });

  it('says when nothing is left in Git', () => {
    assert.match(pruneConfirmation(planOf([], [stale]))?.detail ?? '', /this prunes everything/);
  });

  it('is not asked when nothing is stale', () => {
    assert.equal(pruneConfirmation(planOf([scaled])), undefined);
  });
});

describe('values in texts', () => {
  const cases = [
    [undefined, '–'],
    [3, '3'],
    ['plain', 'plain'],
    ['two words', '"two words"'],
    ['', '""'],
    [{ a: [1] }, '{"a":[1]}'],
    [12345678901234567890n, '12345678901234567890'],
    ['x'.repeat(80), `${'x'.repeat(57)}…`],
  ] as const;
  for (const [value, expected] of cases)
    it(`shows ${expected}`, () => assert.equal(valueText(value), expected));
});

describe('documents of a plan', () => {
  it('give both sides of an object under one path', () => {
    const plan = planOf([scaled]);
    const store = new PlanStore(2);
    store.add(plan);
    const [pair] = diffPairs(plan);
    assert.ok(pair?.cluster && pair.git);
    assert.equal(pair.cluster.path, pair.git.path);
    assert.equal(store.text(pair.cluster), 'spec:\n  replicas: 5\n');
    assert.equal(store.text(pair.git), 'spec:\n  replicas: 3\n');
  });

  it('leave out the side that does not exist', () => {
    const { liveYaml: _, ...created } = { ...scaled, action: 'created' as const };
    assert.equal(diffPairs(planOf([created]))[0]?.cluster, undefined);
  });

  it('show an unchanged object when it is asked for by name', () => {
    const plan = planOf([{ ...scaled, action: 'unchanged' }]);
    assert.equal(diffPairs(plan).length, 0);
    assert.equal(diffPairs(plan, { ...deployment, version: 'v1beta1' }).length, 1);
  });

  it('are gone when newer plans took their place', () => {
    const store = new PlanStore(1);
    const [pair] = diffPairs(planOf([scaled]));
    store.add(planOf([scaled]));
    store.add({ ...planOf([scaled]), id: 'plan-2' });
    assert.equal(store.text(pair?.git ?? { path: '', query: '' }), undefined);
  });
});
