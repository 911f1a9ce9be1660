import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { runInOrder } from './bulk.ts';

function kustomization(name: string, ...dependsOn: readonly string[]): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: { dependsOn: dependsOn.map((other) => ({ name: other })) },
  };
}

/** What had ended before each began. */
async function endedBefore(...objects: readonly KubeObject[]): Promise<Readonly<Record<string, string>>> {
  const ended: string[] = [];
  const before: Record<string, string> = {};
  const run = async ({ metadata: { name } }: KubeObject): Promise<string> => {
    before[name] = [...ended].sort().join(' ');
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(name);
    return name;
  };
  const names = await runInOrder(objects, run, new AbortController().signal);
  assert.deepEqual(
    names,
    objects.map(({ metadata }) => metadata.name),
  );
  return before;
}

test('each runs after those it depends on, and beside the others', async () => {
  const before = await endedBefore(
    kustomization('apps', 'infra', 'elsewhere'),
    kustomization('jobs', 'apps'),
    kustomization('infra'),
    kustomization('docs'),
  );
  assert.deepEqual(before, { infra: '', docs: '', apps: 'docs infra', jobs: 'apps docs infra' });
});

test('a circle runs all the same', async () => {
  const before = await endedBefore(kustomization('one', 'two'), kustomization('two', 'one'));
  assert.deepEqual(Object.keys(before).sort(), ['one', 'two']);
});

test('the first failure stops what has not begun', async () => {
  const began: string[] = [];
  const run = ({ metadata: { name } }: KubeObject): Promise<void> => {
    began.push(name);
    return name === 'infra' ? Promise.reject(new Error('no')) : Promise.resolve();
  };
  const objects = [kustomization('apps', 'infra'), kustomization('infra')];
  await assert.rejects(runInOrder(objects, run, new AbortController().signal), /no/);
  assert.deepEqual(began, ['infra']);
});
