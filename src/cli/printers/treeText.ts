import type { FluxNode, SyncState, TreeView } from '../../protocol/views.ts';
import { formatTable } from '../table.ts';
import type { Style } from '../terminal.ts';

/** The union of files and cluster as kubectl-like tables. */
export function treeText(tree: TreeView, style: Style): string {
  const sections = [
    sectionText('Sources', tree.sources, style),
    sectionText('Workloads', tree.workloads, style),
  ].filter((text) => text !== '');
  if (sections.length === 0) return 'no Flux objects in the files or the cluster\n';
  return sections.join('\n');
}

/** One table; '' for no nodes. */
export function sectionText(title: string, nodes: readonly FluxNode[], style: Style): string {
  if (nodes.length === 0) return '';
  const rows = nodes.map((node) => [
    node.ref.kind,
    node.ref.namespace ?? '',
    node.ref.name,
    stateText(node, style),
    presenceText(node),
    shortRevision(node.revision ?? ''),
    oneLine(node.message ?? ''),
  ]);
  return `${style.bold(title)}\n${formatTable(['kind', 'namespace', 'name', 'state', 'where', 'revision', 'message'], rows)}`;
}

/** The state in words and colour. */
export function stateText(node: Pick<FluxNode, 'state' | 'driftedObjects'>, style: Style): string {
  const text = node.state === 'drifted' ? `drifted (${node.driftedObjects ?? 0})` : node.state;
  return colorOf(node.state, style)(text);
}

function colorOf(state: SyncState, style: Style): (text: string) => string {
  switch (state) {
    case 'ready':
      return style.green;
    case 'failed':
      return style.red;
    case 'drifted':
    case 'waiting':
      return style.yellow;
    case 'progressing':
      return style.cyan;
    case 'suspended':
    case 'unknown':
      return style.dim;
  }
}

function presenceText(node: FluxNode): string {
  switch (node.presence) {
    case 'both':
      return 'git+cluster';
    case 'onlyInGit':
      return 'git only';
    case 'onlyInCluster':
      return 'cluster only';
    case 'unknown':
      return 'git';
  }
}

/** `main@sha1:0123456` from a full revision. */
export function shortRevision(revision: string): string {
  return revision.replace(/(sha(?:1|256):[0-9a-f]{8})[0-9a-f]+/, '$1');
}

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' ');
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
