import type { JsonObject } from '../../src/base/json.ts';
import { fluxObject, type Build, type CaseOptions } from '../contract/kustomize/cases.ts';
import { buildWithPlumb, type BuildAnswer } from '../contract/kustomize/plumbBuild.ts';
import type { Oracle, OracleAnswer } from '../oracle/oracle.ts';
import { renderSpec, renderTree, type FuzzTree } from './fuzzTree.ts';
import { mendTree } from './mendTree.ts';

/** A tree on which Plumb and the real library disagree. */
export interface Finding {
  readonly build: Build;
  readonly plumb: BuildAnswer;
  readonly upstream: OracleAnswer;
}

/** How the two builds of a tree compare; `why` is what upstream says when both refuse it. */
export type Comparison =
  | { readonly type: 'equal' }
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'differs'; readonly finding: Finding };

/** Builds a tree with Plumb and with the real library. */
export async function compareTree(oracle: Oracle, tree: FuzzTree, build: Build): Promise<Comparison> {
  const question: JsonObject = {
    files: renderTree(tree),
    path: tree.path,
    loadRestrictor: '',
    kustomization: fluxObject(optionsOf(tree)),
  };
  const upstream = await oracle.ask(build, question);
  const plumb = buildTree(tree, build);
  if (upstream.error !== undefined && plumb.error !== undefined)
    return { type: 'refused', why: upstream.error };
  return upstream.error === undefined && upstream.output === plumb.output
    ? { type: 'equal' }
    : { type: 'differs', finding: { build, plumb, upstream } };
}

/**
 * The trees that a generated one stands for: itself, and where that is refused, what is left of it without the entries that
 * break it. A refusal alone proves little.
 */
export function* variantsOf(tree: FuzzTree, build: Build): Iterable<FuzzTree> {
  yield tree;
  const isBuilt = (candidate: FuzzTree): boolean => buildTree(candidate, build).error === undefined;
  if (isBuilt(tree)) return;
  const mended = mendTree(tree, isBuilt);
  if (mended !== undefined) yield mended;
}

function buildTree(tree: FuzzTree, build: Build): BuildAnswer {
  return buildWithPlumb(Object.entries(renderTree(tree)), optionsOf(tree), build);
}

function optionsOf(tree: FuzzTree): CaseOptions {
  const spec = renderSpec(tree);
  return { path: tree.path, ...(spec !== undefined && { spec }) };
}

/** Tells whether a smaller tree shows the same kind of disagreement. */
export function isSameKind(left: Finding, comparison: Comparison): boolean {
  if (comparison.type !== 'differs' || left.build !== comparison.finding.build) return false;
  const right = comparison.finding;
  const isRefused = ({ error }: OracleAnswer | BuildAnswer) => error !== undefined;
  return (
    isRefused(left.plumb) === isRefused(right.plumb) && isRefused(left.upstream) === isRefused(right.upstream)
  );
}
