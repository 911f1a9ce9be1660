import { formatRef, refKey, type ObjectRef } from '../../kube/object.ts';
import type { FluxNode, InventoryNode, Presence, SyncState } from '../../protocol/views.ts';
import { shortRevision } from './revision.ts';

/** What a row of a tree stands for: what its commands act on. */
export type EntryTarget =
  | { readonly type: 'source'; readonly node: FluxNode }
  | { readonly type: 'workload'; readonly node: FluxNode }
  | { readonly type: 'object'; readonly node: InventoryNode; readonly workload: ObjectRef };

/** A codicon and the theme colour it is drawn in. */
export interface EntryIcon {
  readonly id: string;
  readonly color?: string;
}

/** A row of a tree, complete: the view only turns it into the editor's own item. */
export interface TreeEntry {
  /** The same as long as the row stands for the same thing, so that selection and expansion survive a refresh. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: EntryIcon;
  /** Name and value of each line; values are plain text from files and cluster, never markup. */
  readonly tooltip: readonly (readonly [name: string, value: string])[];
  /** Words for `when` clauses, between `;`: `;workload;inCluster;located;`. */
  readonly contextValue: string;
  /** What a screen reader says. */
  readonly spoken: string;
  readonly children: readonly TreeEntry[];
  readonly target: EntryTarget;
}

/** What the last run of each object warned of, by refKey. */
type Warnings = ReadonlyMap<string, readonly string[]>;

/** Rows of the Sources view. */
export function sourceEntries(sources: readonly FluxNode[], warnings: Warnings): readonly TreeEntry[] {
  const showNamespace = namespacesIn(sources) > 1;
  return sources.map((node) =>
    fluxEntry(
      { type: 'source', node },
      [node.ref.kind, ...(showNamespace ? [namespaceOf(node.ref)] : [])],
      [],
      warningsOf(node, warnings),
    ),
  );
}

/** Rows of the Workloads view, in the order given, each with the objects it applies. */
export function workloadEntries(workloads: readonly FluxNode[], warnings: Warnings): readonly TreeEntry[] {
  const showNamespace = namespacesIn(workloads) > 1;
  const showKind = new Set(workloads.map((node) => node.ref.kind)).size > 1;
  return workloads.map((node) => {
    const names = [...(showKind ? [node.ref.kind] : []), ...(showNamespace ? [namespaceOf(node.ref)] : [])];
    const children = node.inventory.map((child) => objectEntry(node.ref, child));
    return fluxEntry({ type: 'workload', node }, names, children, warningsOf(node, warnings));
  });
}

function warningsOf({ ref }: FluxNode, warnings: Warnings): readonly string[] {
  return warnings.get(refKey(ref)) ?? [];
}

/** The icon of a state; where the state is not known, that of where the object stands. */
export function stateIcon(state: SyncState, presence: Presence): EntryIcon {
  switch (state) {
    case 'failed':
      return { id: 'error', color: 'testing.iconFailed' };
    case 'drifted':
      return { id: 'git-compare', color: 'editorWarning.foreground' };
    case 'progressing':
      return { id: 'sync~spin', color: 'charts.blue' };
    case 'waiting':
      return { id: 'watch', color: 'charts.yellow' };
    case 'suspended':
      return { id: 'debug-pause', color: 'disabledForeground' };
    case 'ready':
      return { id: 'pass', color: 'testing.iconPassed' };
    case 'unknown':
      return presenceIcon(presence);
  }
}

function presenceIcon(presence: Presence): EntryIcon {
  switch (presence) {
    case 'onlyInGit':
      return { id: 'diff-added', color: 'gitDecoration.addedResourceForeground' };
    case 'onlyInCluster':
      return { id: 'diff-removed', color: 'gitDecoration.deletedResourceForeground' };
    case 'both':
    case 'unknown':
      return { id: 'circle-outline', color: 'disabledForeground' };
  }
}

function fluxEntry(
  target: Extract<EntryTarget, { readonly node: FluxNode }>,
  names: readonly string[],
  children: readonly TreeEntry[],
  warnings: readonly string[],
): TreeEntry {
  const { node } = target;
  const words = [...warningWords(warnings), ...stateWords(node)];
  return {
    id: `${target.type}:${refKey(node.ref)}`,
    label: node.ref.name,
    description: [...names, ...words].join(' · '),
    icon: stateIcon(node.state, node.presence),
    tooltip: [...fluxTooltip(node), ...warnings.map((warning) => ['Warning', warning] as const)],
    contextValue: contextValue([
      target.type,
      ...placeWords(node.presence, node.location !== undefined),
      node.suspended ? 'suspended' : 'active',
      ...(node.overriddenBy === undefined ? [] : ['overridden']),
      ...(target.type === 'workload' && node.ref.kind === 'Kustomization' ? ['overridable'] : []),
    ]),
    spoken: [node.ref.kind, node.ref.name, stateText(node.state), ...words].join(', '),
    children,
    target,
  };
}

function objectEntry(workload: ObjectRef, node: InventoryNode): TreeEntry {
  const namespace = node.ref.namespace === undefined ? [] : [node.ref.namespace];
  const words = [...presenceWords(node.presence), ...troubleWords(node.state, undefined, node.message)];
  return {
    id: `object:${refKey(workload)}:${refKey(node.ref)}`,
    label: `${node.ref.kind}/${node.ref.name}`,
    description: [...namespace, ...words].join(' · '),
    icon: stateIcon(node.state, node.presence),
    tooltip: rows([
      ['Object', formatRef(node.ref)],
      ['State', stateText(node.state)],
      ['Where', presenceText(node.presence)],
      ['Message', node.message],
      ['Defined in', node.location?.path],
    ]),
    contextValue: contextValue([
      'object',
      ...placeWords(node.presence, node.location !== undefined),
      ...(node.state === 'drifted' ? ['drifted'] : []),
    ]),
    spoken: [node.ref.kind, node.ref.name, ...namespace, stateText(node.state), ...words].join(', '),
    children: [],
    target: { type: 'object', node, workload },
  };
}

/** What stands behind a name in the row: the one thing to know first. */
function stateWords(node: FluxNode): readonly string[] {
  const drift = node.driftedObjects ?? 0;
  return [
    ...presenceWords(node.presence),
    ...(node.overriddenBy === undefined ? [] : [`overridden by ${node.overriddenBy}`]),
    ...(node.suspended ? [suspendText(node.suspendReason)] : []),
    ...(drift > 0 ? [`${drift} drifted`] : []),
    ...(node.suspended ? [] : troubleWords(node.state, node.reason, node.message)),
    ...(node.revision === undefined ? [] : [shortRevision(node.revision)]),
  ];
}

function warningWords(warnings: readonly string[]): readonly string[] {
  if (warnings.length === 0) return [];
  return [warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`];
}

function suspendText(reason: string | undefined): string {
  return reason === undefined ? 'suspended' : `suspended: ${reason}`;
}

function troubleWords(
  state: SyncState,
  reason: string | undefined,
  message: string | undefined,
): readonly string[] {
  if (state !== 'failed' && state !== 'waiting' && state !== 'progressing') return [];
  return [reason, message?.split('\n')[0]].filter((part) => part !== undefined && part !== '') as string[];
}

function presenceWords(presence: Presence): readonly string[] {
  return presence === 'onlyInGit' || presence === 'onlyInCluster' ? [presenceText(presence)] : [];
}

function presenceText(presence: Presence): string {
  switch (presence) {
    case 'both':
      return 'in Git and in the cluster';
    case 'onlyInGit':
      return 'only in Git';
    case 'onlyInCluster':
      return 'only in the cluster';
    case 'unknown':
      return 'in Git; no cluster to compare with';
  }
}

/** A state as a word for people. */
export function stateText(state: SyncState): string {
  return state === 'unknown' ? 'state not known' : state;
}

function fluxTooltip(node: FluxNode): TreeEntry['tooltip'] {
  return rows([
    ['Object', formatRef(node.ref)],
    ['State', stateText(node.state)],
    ['Where', presenceText(node.presence)],
    ['Reason', node.reason],
    ['Message', node.message],
    ['Suspended', node.suspended ? (node.suspendReason ?? 'without a reason') : undefined],
    ['Suspended by', node.suspended ? node.suspendedBy : undefined],
    ['Overridden by', node.overriddenBy],
    ['Revision', node.revision],
    ['URL', node.url],
    ['Path', node.path],
    ['Source', node.sourceRef === undefined ? undefined : formatRef(node.sourceRef)],
    ['Depends on', node.dependsOn.length === 0 ? undefined : node.dependsOn.map(formatRef).join(', ')],
    ['Applied by', node.parent === undefined ? undefined : formatRef(node.parent)],
    ['Last asked for', node.lastHandledReconcileAt],
    ['Defined in', node.location?.path],
  ]);
}

function rows(all: readonly (readonly [string, string | undefined])[]): TreeEntry['tooltip'] {
  return all.filter((row): row is readonly [string, string] => row[1] !== undefined && row[1] !== '');
}

function placeWords(presence: Presence, located: boolean): readonly string[] {
  return [
    ...(presence === 'both' || presence === 'onlyInCluster' ? ['inCluster'] : []),
    ...(presence === 'onlyInCluster' ? [] : ['inGit']),
    ...(located ? ['located'] : []),
  ];
}

function contextValue(words: readonly string[]): string {
  return `;${words.join(';')};`;
}

function namespacesIn(nodes: readonly FluxNode[]): number {
  return new Set(nodes.map((node) => node.ref.namespace)).size;
}

function namespaceOf(ref: ObjectRef): string {
  return ref.namespace ?? '';
}
