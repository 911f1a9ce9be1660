import * as vscode from 'vscode';
import type { StatusView, TreeView } from '../../protocol/views.ts';
import { allEntries, changedRows } from '../model/changedRows.ts';
import { plainMarkdown } from '../model/plainMarkdown.ts';
import type { TreeEntry } from '../model/treeEntries.ts';
import { locationUri } from '../locationUri.ts';
import type { WorkspaceState } from '../workspaceState.ts';

export interface FluxTreeOptions {
  readonly viewId: string;
  readonly state: WorkspaceState;
  readonly entries: (tree: TreeView, warnings: WorkspaceState['warnings']) => readonly TreeEntry[];
  /** The number on the view, with what it counts; none when undefined. */
  readonly badge?: (tree: TreeView) => { readonly value: number; readonly tooltip: string } | undefined;
  /** A line above the rows. */
  readonly message?: (status: StatusView | undefined) => string | undefined;
}

/**
 * A row as the editor holds it: one object as long as it stands for the same thing, whatever is known of it. The editor finds
 * the argument of a row's command by that object, and forgets all of them while the whole tree is read again.
 */
export interface TreeRow {
  entry: TreeEntry;
}

/** Shows a tree that follows the state. Rows are plain data; the editor's items are made here only. */
export function showFluxTree(options: FluxTreeOptions): vscode.Disposable {
  const changed = new vscode.EventEmitter<TreeRow[] | undefined>();
  let roots: readonly TreeEntry[] = [];
  let rows = new Map<string, TreeRow>();
  const parents = new Map<string, TreeEntry>();
  const rowOf = (entry: TreeEntry): TreeRow => {
    const row = rows.get(entry.id) ?? { entry };
    rows.set(entry.id, row);
    return row;
  };
  const provider: vscode.TreeDataProvider<TreeRow> = {
    onDidChangeTreeData: changed.event,
    getChildren: (row) => (row?.entry.children ?? roots).map(rowOf),
    getParent: ({ entry }) => {
      const parent = parents.get(entry.id);
      return parent && rowOf(parent);
    },
    getTreeItem: ({ entry }) => treeItem(entry),
  };
  const view = vscode.window.createTreeView(options.viewId, {
    treeDataProvider: provider,
    showCollapseAll: true,
  });
  const show = (entries: readonly TreeEntry[]): void => {
    const difference = changedRows(roots, entries);
    roots = entries;
    const before = rows;
    rows = new Map();
    parents.clear();
    for (const entry of allEntries(roots)) {
      const row = before.get(entry.id) ?? { entry };
      row.entry = entry;
      rows.set(entry.id, row);
    }
    for (const root of roots) for (const child of root.children) parents.set(child.id, root);
    if (difference === 'all') changed.fire(undefined);
    else if (difference.length > 0) changed.fire(difference.map(rowOf));
  };
  const update = (): void => {
    const { tree, status, warnings } = options.state;
    if (tree === undefined) return;
    show(options.entries(tree, warnings));
    const message = options.message?.(status);
    // An empty message leaves a blank line, undefined leaves none.
    (view as { message: string | undefined }).message = roots.length === 0 ? undefined : message;
    (view as { badge: vscode.ViewBadge | undefined }).badge = options.badge?.(tree);
  };
  return vscode.Disposable.from(view, changed, options.state.onDidChange(update));
}

/** Asks the engine now, with a progress bar in the views until it has answered. A failure is the caller's to tell. */
export function refreshShown(state: WorkspaceState): Promise<void> {
  const answer = state.refresh();
  for (const viewId of ['plumb.workloads', 'plumb.sources'])
    void vscode.window.withProgress({ location: { viewId } }, () => answer.catch(() => undefined));
  return answer;
}

function treeItem(entry: TreeEntry): vscode.TreeItem {
  const item = new vscode.TreeItem(
    entry.label,
    entry.children.length > 0
      ? vscode.TreeItemCollapsibleState.Collapsed
      : vscode.TreeItemCollapsibleState.None,
  );
  item.id = entry.id;
  item.description = entry.description;
  item.iconPath = new vscode.ThemeIcon(
    entry.icon.id,
    entry.icon.color === undefined ? undefined : new vscode.ThemeColor(entry.icon.color),
  );
  item.tooltip = tooltip(entry.tooltip);
  item.contextValue = entry.contextValue;
  item.accessibilityInformation = { label: entry.spoken };
  const location = entry.target.node.location;
  if (location !== undefined)
    item.command = {
      command: 'vscode.open',
      title: 'Open the file that defines it',
      arguments: [locationUri(location), { selection: selectionOf(location.range), preview: true }],
    };
  return item;
}

/** Untrusted markdown with every value as text: what a cluster says never becomes a link. */
export function tooltip(rows: TreeEntry['tooltip']): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  for (const [name, value] of rows) {
    const text = new vscode.MarkdownString().appendText(value).value;
    markdown.appendMarkdown(`**${name}** ${plainMarkdown(text)}\n\n`);
  }
  return markdown;
}

function selectionOf(range: {
  readonly start: { readonly line: number; readonly character: number };
}): vscode.Range {
  const start = new vscode.Position(range.start.line, range.start.character);
  return new vscode.Range(start, start);
}
