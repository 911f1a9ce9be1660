import { formatRef, type ObjectRef, refKey } from '../../kube/object.ts';
import type { FluxNode, Presence, SyncState, TreeView } from '../../protocol/views.ts';
import type { Style } from '../terminal.ts';
import { stateText } from './treeText.ts';

/** An object with everything it applies. */
export interface ObjectTree {
  readonly ref: ObjectRef;
  readonly state: SyncState;
  readonly presence: Presence;
  readonly message?: string;
  readonly resources: readonly ObjectTree[];
}

const groupSuffix = '.toolkit.fluxcd.io';

/** What the workload applies and what that applies in turn; undefined when there is no such workload. */
export function objectTreeOf(tree: TreeView, root: ObjectRef): ObjectTree | undefined {
  const nodes = new Map([...tree.workloads, ...tree.sources].map((node) => [refKey(node.ref), node]));
  const grow = (node: FluxNode, above: ReadonlySet<string>): ObjectTree => {
    const path = new Set([...above, refKey(node.ref)]);
    const resources = node.inventory
      // A workload that applies itself, as flux-system does, is not shown below itself.
      .filter(({ ref }) => !path.has(refKey(ref)))
      .map((entry): ObjectTree => {
        const below = nodes.get(refKey(entry.ref));
        if (below !== undefined) return grow(below, path);
        const { ref, state, presence, message } = entry;
        return { ref, state, presence, ...(message !== undefined && { message }), resources: [] };
      });
    const { ref, state, presence, message } = node;
    const isTelling = message !== undefined && (state === 'failed' || state === 'waiting');
    return { ref, state, presence, ...(isTelling && { message }), resources };
  };
  const found = nodes.get(refKey(root));
  return found === undefined ? undefined : grow(found, new Set());
}

/** The same with Flux objects only. */
export function compactTree(tree: ObjectTree): ObjectTree {
  const resources = tree.resources.filter(({ ref }) => ref.group.endsWith(groupSuffix)).map(compactTree);
  return { ...tree, resources };
}

/** A line for each object, indented by who applies it. */
export function objectTreeText(tree: ObjectTree, style: Style): string {
  const lines: string[] = [];
  const add = (node: ObjectTree, head: string, indent: string): void => {
    lines.push(`${style.dim(head)}${nodeText(node, style)}`);
    node.resources.forEach((child, index) => {
      const isLast = index === node.resources.length - 1;
      add(child, `${indent}${isLast ? '└── ' : '├── '}`, `${indent}${isLast ? '    ' : '│   '}`);
    });
  };
  add(tree, '', '');
  return `${lines.join('\n')}\n`;
}

/** The state only where it says something: most objects are as they should be. */
function nodeText(node: ObjectTree, style: Style): string {
  const notes = [
    ...(node.state === 'ready' || node.state === 'unknown' ? [] : [stateText(node, style)]),
    ...(node.presence === 'onlyInGit' ? [style.dim('git only')] : []),
    ...(node.presence === 'onlyInCluster' ? [style.dim('cluster only')] : []),
    ...(node.message === undefined ? [] : [style.dim(node.message.split('\n')[0] ?? '')]),
  ];
  return [formatRef(node.ref), ...notes].join('  ');
}
