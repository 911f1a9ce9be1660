import { plumbError } from '../../base/plumbError.ts';
import { fluxKindWords, parseFluxKind } from '../../engine/fluxRef.ts';
import type { FluxNode, TreeView } from '../../protocol/views.ts';
import { flagOption, textOption, UsageError, type Command, type CommandContext } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { tellMissingCluster } from '../missingCluster.ts';
import { withEngine } from '../openEngine.ts';
import { printResult } from '../printResult.ts';
import { treeText } from '../printers/treeText.ts';

const lists = ['all', 'sources', 'workloads'];

export const getCommand: Command = {
  name: 'get',
  summary: 'List sources and workloads, in Git, in the cluster, or in both',
  usage: '[all|sources|workloads|KIND [NAME]] [-n NAMESPACE] [-o text|json|yaml]',
  completions: [[...lists, ...fluxKindWords().filter((word) => listWith(parseFluxKind(word)))], 'object'],
  details:
    'Joins the files of the repository you stand in with the Flux objects of the cluster. Without a cluster the files are shown alone.',
  examples: [
    ['plumb get', 'everything, in all namespaces'],
    ['plumb get kustomizations', 'one kind'],
    ['plumb get ks apps', 'one object'],
    ['plumb get workloads -o json', 'Kustomizations and HelmReleases for a script'],
  ],
  options: {
    ...clusterOptions,
    namespace: { ...clusterOptions.namespace, description: 'only this namespace; default: all' },
    'all-namespaces': { type: 'boolean', short: 'A', description: 'of every namespace, as without it' },
    ...outputOption,
  },
  run: (ctx) => {
    const wanted = wantedOf(ctx);
    return withEngine(ctx, async (engine) => {
      const tree = await engine.tree({ signal: ctx.signal });
      tellMissingCluster(ctx, tree);
      const shown = select(tree, wanted);
      const isEmpty = shown.sources.length + shown.workloads.length === 0;
      if (isEmpty) tellNothing(ctx, wanted);
      printResult(ctx, shown, () => (isEmpty ? '' : treeText(shown, ctx.terminal.style)));
      return 0;
    });
  },
};

/** What the command line asks for. */
interface Wanted {
  readonly list: string;
  /** One kind, not a whole list. */
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

function wantedOf(ctx: CommandContext): Wanted {
  const [first = 'all', ...rest] = ctx.positionals;
  const namespace = textOption(ctx, 'namespace');
  if (flagOption(ctx, 'all-namespaces') && namespace !== undefined)
    throw new UsageError('-A and -n exclude each other');
  const within = namespace === undefined ? {} : { namespace };
  const [word = '', ...names] = rest.length === 0 ? first.split('/') : [first, ...rest];
  if (lists.includes(word)) {
    if (names.length > 0)
      throw new UsageError(`unexpected ${names.join(' ')}: a name goes with a kind, as in ks apps`);
    return { list: word, ...within };
  }
  const [name, ...more] = names;
  if (more.length > 0) throw new UsageError(`unexpected ${more.join(' ')}: one object is named at a time`);
  return { ...kindOf(word), ...(name !== undefined && { name }), ...within };
}

function kindOf(word: string): { readonly list: string; readonly kind: string } {
  const fluxKind = parseFluxKind(word);
  const list = listWith(fluxKind);
  if (list !== undefined) return { list, kind: fluxKind.kind };
  throw new UsageError(`${fluxKind.plural} are not listed: all, sources, workloads or a kind of those`);
}

/** The list that has objects of the kind; undefined for notifications and image automation. */
function listWith({ categories }: ReturnType<typeof parseFluxKind>): 'sources' | 'workloads' | undefined {
  if (categories.includes('fluxcd-appliers')) return 'workloads';
  return categories.includes('fluxcd-sources') ? 'sources' : undefined;
}

function select(tree: TreeView, { list, kind, name, namespace }: Wanted): TreeView {
  const isWanted = ({ ref }: FluxNode): boolean =>
    (namespace === undefined || ref.namespace === namespace) &&
    (kind === undefined || ref.kind === kind) &&
    (name === undefined || ref.name === name);
  return {
    ...tree,
    sources: list === 'workloads' ? [] : tree.sources.filter(isWanted),
    workloads: list === 'sources' ? [] : tree.workloads.filter(isWanted),
  };
}

/** A named object that is missing is a failure, as for kubectl; an empty list is told beside the output. */
function tellNothing(ctx: CommandContext, { list, kind, name, namespace }: Wanted): void {
  const where = namespace === undefined ? '' : ` in the namespace ${namespace}`;
  if (kind !== undefined && name !== undefined)
    throw plumbError('NotFound', {
      subject: `${kind}/${name}`,
      message: `there is no such workload or source${where}, neither in the cluster nor in the files`,
      hint: 'plumb get lists what there is',
    });
  const what = kind ?? (list === 'all' ? 'Flux objects' : list);
  ctx.terminal.err(`no ${what} in the files or the cluster${where}\n`);
}
