import type { JsonObject } from '../../src/base/json.ts';
import { fluxObject, type Build, type CaseOptions } from '../contract/kustomize/cases.ts';
import { buildWithPlumb, type BuildAnswer } from '../contract/kustomize/plumbBuild.ts';
import type { Oracle, OracleAnswer } from '../oracle/oracle.ts';
import { renderSpec, renderTree, type FuzzTree } from './fuzzTree.ts';

/** A tree on which Plumb and the real library disagree. */
export interface Finding {
  readonly build: Build;
  readonly plumb: BuildAnswer;
  readonly upstream: OracleAnswer;
}

/** Builds a tree with Plumb and with the real library; undefined when both print the same, or both refuse. */
export async function compareTree(
  oracle: Oracle,
  tree: FuzzTree,
  build: Build,
): Promise<Finding | undefined> {
  const files = renderTree(tree);
  const spec = renderSpec(tree);
  const options: CaseOptions = { path: tree.path, ...(spec !== undefined && { spec }) };
  const question: JsonObject = {
    files,
    path: tree.path,
    loadRestrictor: '',
    kustomization: fluxObject(options),
  };
  const upstream = await oracle.ask(build, question);
  const plumb = buildWithPlumb(Object.entries(files), options, build);
  const isSame = upstream.error === undefined ? upstream.output === plumb.output : plumb.error !== undefined;
  return isSame ? undefined : { build, plumb, upstream };
}

/** Tells whether a smaller tree shows the same kind of disagreement. */
export function isSameKind(left: Finding, right: Finding | undefined): boolean {
  if (right === undefined || left.build !== right.build) return false;
  const isRefused = ({ error }: OracleAnswer | BuildAnswer) => error !== undefined;
  return (
    isRefused(left.plumb) === isRefused(right.plumb) && isRefused(left.upstream) === isRefused(right.upstream)
  );
}
