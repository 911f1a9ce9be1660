// Compares random trees with the real library and prints the smallest form of each that differs.
//   node test/fuzz/findings.ts --seed 1 --count 300
import { parseArgs } from 'node:util';
import { builds } from '../contract/kustomize/cases.ts';
import { withOracle } from './fuzzRun.ts';
import { renderTree } from './fuzzTree.ts';
import { generateTree } from './generateTree.ts';
import { compareTree, isSameKind } from './kustomizeCase.ts';
import { shrinkTree } from './shrink.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '300' } },
});
const first = Number(values.seed);
const count = Number(values.count);
let found = 0;
let refused = 0;
await withOracle(async (oracle) => {
  for (let seed = first; seed < first + count; seed++) {
    const tree = generateTree(seed);
    for (const build of tree.spec === undefined ? builds.slice(0, 1) : builds) {
      const finding = await compareTree(oracle, tree, build);
      if (finding === undefined) continue;
      found++;
      const smallest = await shrinkTree(tree, async (candidate) =>
        isSameKind(finding, await compareTree(oracle, candidate, build)),
      );
      const shown = (await compareTree(oracle, smallest, build)) ?? finding;
      process.stdout.write(`== seed ${seed} (${build}) path ${smallest.path}\n`);
      if (smallest.spec !== undefined && build === 'flux')
        process.stdout.write(`-- spec\n${JSON.stringify(smallest.spec)}\n`);
      for (const [path, text] of Object.entries(renderTree(smallest)))
        process.stdout.write(`-- ${path}\n${text}`);
      process.stdout.write(`-- upstream\n${shown.upstream.error ?? String(shown.upstream.output)}\n`);
      process.stdout.write(`-- plumb\n${shown.plumb.error ?? shown.plumb.output ?? ''}\n`);
    }
    const answer = await oracle.ask('kustomize', { files: renderTree(tree), path: tree.path });
    if (answer.error !== undefined) refused++;
  }
});
process.stdout.write(`seeds ${first}..${first + count - 1}: ${found} differ; ${refused} refused by both\n`);
