// Compares random trees with the real library and prints the smallest form of each that differs.
//   node test/fuzz/findings.ts --seed 1 --count 300 [--why] [--fields]
// --why tells what the trees that both refuse are refused for, --fields which fields the trees have that build equally;
// the most frequent first.
import { parseArgs } from 'node:util';
import { builds } from '../contract/kustomize/cases.ts';
import type { Oracle } from '../oracle/oracle.ts';
import { withOracle } from './fuzzRun.ts';
import { renderTree, type FuzzTree } from './fuzzTree.ts';
import { generateTree } from './generateTree.ts';
import { compareTree, isSameKind, variantsOf, type Finding } from './kustomizeCase.ts';
import { fieldsOf } from './mendTree.ts';
import { shrinkTree } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '300' },
    why: { type: 'boolean', default: false },
    fields: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const seeds = Number(values.count);
const found = { equal: 0, refused: 0, differs: 0 };
const counted = new Map<string, number>();
await withOracle(async (oracle) => {
  for (let seed = first; seed < first + seeds; seed++) {
    const tree = generateTree(seed);
    for (const build of tree.spec === undefined ? builds.slice(0, 1) : builds) {
      for (const variant of variantsOf(tree, build)) {
        const comparison = await compareTree(oracle, variant, build);
        found[comparison.type]++;
        if (comparison.type === 'refused' && values.why) count(reasonOf(comparison.why));
        if (comparison.type === 'equal' && values.fields)
          for (const field of new Set(fieldsOf(variant))) count(field);
        if (comparison.type === 'differs') await show(oracle, seed, variant, comparison.finding);
      }
    }
  }
});
for (const [text, times] of [...counted].sort(([, left], [, right]) => right - left))
  process.stdout.write(`${times} ${text}\n`);
const { equal, refused, differs } = found;
process.stdout.write(
  `seeds ${first}..${first + seeds - 1}: ${equal + refused + differs} builds compared: ${equal} equal, ${refused} refused by both, ${differs} differ\n`,
);

function count(text: string): void {
  counted.set(text, (counted.get(text) ?? 0) + 1);
}

/** What an error says without the names in it. */
function reasonOf(why: string): string {
  return why
    .replaceAll('\n', ' ')
    .split(': ')
    .slice(-3)
    .join(': ')
    .replaceAll(/(["'`]).*?\1/g, '…')
    .replaceAll(/[^ ]*[/.][^ ]*/g, '…')
    .slice(0, 150);
}

async function show(oracle: Oracle, seed: number, tree: FuzzTree, finding: Finding): Promise<void> {
  const { build } = finding;
  const smallest = await shrinkTree(tree, async (candidate) =>
    isSameKind(finding, await compareTree(oracle, candidate, build)),
  );
  const again = await compareTree(oracle, smallest, build);
  const { plumb, upstream } = again.type === 'differs' ? again.finding : finding;
  process.stdout.write(`== seed ${seed} (${build}) path ${smallest.path}\n`);
  if (smallest.spec !== undefined && build === 'flux')
    process.stdout.write(`-- spec\n${JSON.stringify(smallest.spec)}\n`);
  for (const [path, text] of Object.entries(renderTree(smallest)))
    process.stdout.write(`-- ${path}\n${text}`);
  process.stdout.write(`-- upstream\n${upstream.error ?? String(upstream.output)}\n`);
  process.stdout.write(`-- plumb\n${plumb.error ?? plumb.output ?? ''}\n`);
}
