import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builds } from '../contract/kustomize/cases.ts';
import { fuzzRange, withOracle } from './fuzzRun.ts';
import { generateTree } from './generateTree.ts';
import { compareTree } from './kustomizeCase.ts';

test('random trees of overlays build as with kustomize, and as with kustomize-controller', async () => {
  const { firstSeed, count } = fuzzRange(30);
  const differing: string[] = [];
  await withOracle(async (oracle) => {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const tree = generateTree(seed);
      for (const build of builds) {
        if (build === 'flux' && tree.spec === undefined) continue;
        const finding = await compareTree(oracle, tree, build);
        if (finding !== undefined) differing.push(`seed ${seed} (${build}): see test/fuzz/findings.ts`);
      }
    }
  });
  assert.deepEqual(differing, []);
});
