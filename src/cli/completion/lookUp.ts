import { fluxKindWords, parseFluxKind } from '../../engine/fluxRef.ts';
import type { FluxNode, TreeView } from '../../protocol/views.ts';
import type { CommandContext } from '../command.ts';
import { withEngine } from '../openEngine.ts';
import type { Candidate, Completing } from './completeWords.ts';

/** Whoever has pressed Tab waits no longer for a cluster. */
const patienceMs = 2_000;

type Lookup = Extract<Completing, { type: 'lookup' }>;

/** Looks up what completes a word: kinds here, contexts in the kubeconfig, names in the files and the cluster. */
export async function lookUp(
  ctx: CommandContext,
  { what, positionals }: Lookup,
): Promise<readonly Candidate[]> {
  switch (what) {
    case 'file':
      return [];
    case 'kind':
      return fluxKindWords().map((word) => [word, '']);
    case 'context':
      return withEngine(ctx, async (engine) =>
        (await engine.contexts({ signal: ctx.signal })).map(({ name, server }) => [name, server]),
      );
    case 'namespace': {
      const namespaces = (await nodes(ctx)).flatMap(({ ref }) => ref.namespace ?? []);
      return [...new Set(namespaces)].map((name) => [name, '']);
    }
    case 'object': {
      const [word] = positionals;
      if (word === undefined) return [];
      const { kind } = parseFluxKind(word);
      return (await nodes(ctx)).filter(({ ref }) => ref.kind === kind).map(described);
    }
    case 'kindAndObject':
      return (await nodes(ctx)).map((node) => [
        `${node.ref.kind.toLowerCase()}/${node.ref.name}`,
        node.ref.namespace ?? '',
      ]);
  }
}

async function nodes(ctx: CommandContext): Promise<readonly FluxNode[]> {
  const { sources, workloads } = await treeInTime(ctx);
  const wanted = ctx.options['namespace'];
  return [...workloads, ...sources].filter(
    ({ ref }) => typeof wanted !== 'string' || ref.namespace === wanted,
  );
}

/** Files and cluster, or the files alone when it takes too long to ask the cluster. */
async function treeInTime(ctx: CommandContext): Promise<TreeView> {
  const patience = AbortSignal.timeout(patienceMs);
  const signal = AbortSignal.any([ctx.signal, patience]);
  try {
    return await withEngine({ ...ctx, signal }, (engine) => engine.tree({ signal }));
  } catch (error) {
    if (!patience.aborted || ctx.signal.aborted) throw error;
    return await withEngine(ctx, (engine) => engine.tree({ signal: ctx.signal }), { kubeconfig: [] });
  }
}

function described({ ref, state }: FluxNode): Candidate {
  return [ref.name, `${ref.namespace ?? ''} ${state}`.trim()];
}
