import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatRef, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { FluxNode, TreeView } from '../../protocol/views.ts';
import { type ClusterSide, type FileSide, fluxNode, isSource, isWorkload } from './fluxNode.ts';

export interface TreeInput {
  readonly files: readonly FileSide[];
  /** Undefined when there is no cluster to ask. */
  readonly cluster: readonly ClusterSide[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Why there is no cluster to ask. */
  readonly filesAloneBecause?: string;
  /** Whether the user may read where the object would be; where not, its absence says nothing. Everything when absent. */
  readonly isReadable?: (ref: ObjectRef) => boolean;
  readonly limitedTo?: TreeView['limitedTo'];
}

/** The union of workspace and cluster; workloads in dependency order, everything else by namespace and name. */
export function treeView(input: TreeInput): TreeView {
  const files = new Map(input.files.map((side) => [refKey(refOf(side.object)), side]));
  const cluster = new Map((input.cluster ?? []).map((side) => [refKey(refOf(side.object)), side]));
  const { isReadable = () => true } = input;
  const nodes = [...new Set([...files.keys(), ...cluster.keys()])]
    .map((key) => {
      const [file, live] = [files.get(key), cluster.get(key)];
      const isKnown =
        live !== undefined ||
        (input.cluster !== undefined && file !== undefined && isReadable(refOf(file.object)));
      return fluxNode(file, live, isKnown);
    })
    .sort((a, b) => compareRefs(a.ref, b.ref));
  return {
    sources: nodes.filter(({ ref }) => isSource(ref)),
    workloads: inDependencyOrder(nodes.filter(({ ref }) => isWorkload(ref))),
    diagnostics: input.diagnostics,
    ...(input.filesAloneBecause !== undefined && { filesAloneBecause: input.filesAloneBecause }),
    ...(input.limitedTo !== undefined && { limitedTo: input.limitedTo }),
  };
}

/** What others depend on stands first; parents before what they apply; cycles keep the order by name. */
export function inDependencyOrder(nodes: readonly FluxNode[]): readonly FluxNode[] {
  const byKey = new Map(nodes.map((node) => [refKey(node.ref), node]));
  const placed = new Set<string>();
  const ordered: FluxNode[] = [];
  const place = (node: FluxNode, path: ReadonlySet<string>): void => {
    const key = refKey(node.ref);
    if (placed.has(key) || path.has(key)) return;
    const before = [...node.dependsOn, ...(node.parent === undefined ? [] : [node.parent])];
    for (const ref of before) {
      const other = byKey.get(refKey(ref));
      if (other !== undefined) place(other, new Set([...path, key]));
    }
    if (placed.has(key)) return;
    placed.add(key);
    ordered.push(node);
  };
  for (const node of nodes) place(node, new Set());
  return ordered;
}

function compareRefs(left: ObjectRef, right: ObjectRef): number {
  const [a, b] = [left, right].map((ref) => `${ref.namespace ?? ''}/${ref.name}/${formatRef(ref)}`) as [
    string,
    string,
  ];
  return a < b ? -1 : a > b ? 1 : 0;
}
