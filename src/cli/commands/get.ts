import type { FluxNode, TreeView } from '../../protocol/views.ts';
import type { Command } from '../command.ts';
import { textOption, UsageError } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { tellMissingCluster } from '../missingCluster.ts';
import { withEngine } from '../openEngine.ts';
import { printResult } from '../printResult.ts';
import { treeText } from '../printers/treeText.ts';

export const getCommand: Command = {
  name: 'get',
  summary: 'List sources and workloads, in Git, in the cluster, or in both',
  usage: '[all|sources|workloads] [-n NAMESPACE] [-o text|json|yaml]',
  completions: [['all', 'sources', 'workloads']],
  details:
    'Joins the files of the repository you stand in with the Flux objects of the cluster. Without a cluster the files are shown alone.',
  examples: [
    ['plumb get', 'everything'],
    ['plumb get workloads -o json', 'Kustomizations and HelmReleases for a script'],
  ],
  options: { ...clusterOptions, ...outputOption },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const [what = 'all'] = ctx.positionals;
      if (!['all', 'sources', 'workloads'].includes(what))
        throw new UsageError(`there is no list ${JSON.stringify(what)}: all, sources or workloads`);
      const tree = await engine.tree({ signal: ctx.signal });
      tellMissingCluster(ctx, tree);
      const shown = select(tree, what, textOption(ctx, 'namespace'));
      printResult(ctx, shown, () => treeText(shown, ctx.terminal.style));
      return 0;
    }),
};

function select(tree: TreeView, what: string, namespace: string | undefined): TreeView {
  const inNamespace = (node: FluxNode): boolean =>
    namespace === undefined || node.ref.namespace === namespace;
  return {
    ...tree,
    sources: what === 'workloads' ? [] : tree.sources.filter(inNamespace),
    workloads: what === 'sources' ? [] : tree.workloads.filter(inNamespace),
  };
}
