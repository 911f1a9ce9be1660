import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builds } from '../contract/kustomize/cases.ts';
import { mistakes, presentFiles } from '../contract/kustomize/mistakes.ts';
import { fuzzRange, withOracle } from './fuzzRun.ts';
import { generateTree } from './generateTree.ts';
import { compareTree, variantsOf } from './kustomizeCase.ts';

test('random trees of overlays build as with kustomize, and as with kustomize-controller', async () => {
  const { firstSeed, count } = fuzzRange(30);
  const differing: string[] = [];
  let equal = 0;
  let refused = 0;
  await withOracle(async (oracle) => {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const tree = generateTree(seed);
      for (const build of builds) {
        if (build === 'flux' && tree.spec === undefined) continue;
        for (const variant of variantsOf(tree, build)) {
          const { type } = await compareTree(oracle, variant, build);
          if (type === 'differs') differing.push(`seed ${seed} (${build}): see test/fuzz/findings.ts`);
          else if (type === 'equal') equal++;
          else refused++;
        }
      }
    }
  });
  assert.deepEqual(differing, []);
  assert.ok(equal > refused, `${refused} of ${equal + refused} builds are refused, which compares little`);
});

test('what is told as a mistake is refused by kustomize, too', async () => {
  const accepted: string[] = [];
  await withOracle(async (oracle) => {
    for (const { kustomization, error, files } of mistakes) {
      const tree = { ...presentFiles, ...files, 'kustomization.yaml': kustomization };
      const answer = await oracle.ask('kustomize', { files: tree, path: '', loadRestrictor: '' });
      if (answer.error === undefined) accepted.push(error);
    }
  });
  assert.deepEqual(accepted, []);
});
