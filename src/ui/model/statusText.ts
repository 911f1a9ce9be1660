import type { StatusView, SyncState } from '../../protocol/views.ts';

/** How loudly the status bar shows it. */
export type StatusLevel = 'normal' | 'warning' | 'error';

/** The status bar item. */
export interface StatusText {
  readonly text: string;
  readonly tooltip: readonly (readonly [name: string, value: string])[];
  readonly level: StatusLevel;
}

/** Whether the engine answers, as far as the editor knows. */
export type EngineState =
  | { readonly type: 'off'; readonly why: string }
  | { readonly type: 'starting' }
  | { readonly type: 'running' }
  | { readonly type: 'failed'; readonly message: string };

/** One short text for the window: what runs, else the worst that holds. */
export function statusText(engine: EngineState, status: StatusView | undefined): StatusText {
  if (engine.type === 'failed')
    return { text: '$(error) Plumb stopped', tooltip: [['Engine', engine.message]], level: 'error' };
  if (engine.type === 'off')
    return { text: '$(circle-slash) Plumb', tooltip: [['Engine', engine.why]], level: 'normal' };
  if (status === undefined)
    return { text: '$(sync~spin) Plumb', tooltip: [['Engine', 'starting']], level: 'normal' };
  return { text: summary(status), tooltip: tooltipOf(status), level: levelOf(status) };
}

/** Why the trees show less than files and cluster together; undefined when they show both. */
export function clusterMessage(status: StatusView | undefined): string | undefined {
  if (status === undefined) return undefined;
  if (status.cluster === undefined) return 'No cluster: this is what the files say.';
  if (status.cluster.reachable) return undefined;
  return `${status.cluster.context} cannot be reached: this is what the files say. ${status.cluster.message ?? ''}`;
}

function summary(status: StatusView): string {
  const { cluster, counts } = status;
  if (cluster === undefined) return '$(circle-slash) no cluster';
  if (!cluster.reachable) return `$(debug-disconnect) ${cluster.context}: unreachable`;
  const at = (text: string): string => `${text.replace(' ', ` ${cluster.context}: `)}`;
  if (status.running.length > 0) return at('$(sync~spin) applying');
  if (counts.failed > 0) return at(`$(error) ${counts.failed} failed`);
  if (counts.drifted > 0) return at(`$(git-compare) ${counts.drifted} drifted`);
  if (counts.waiting + counts.progressing > 0) return at('$(watch) progressing');
  if (counts.suspended > 0) return at(`$(debug-pause) ${counts.suspended} suspended`);
  if (counts.ready > 0) return at('$(pass) synced');
  return at(cluster.mode === 'observe' ? '$(eye) observe' : '$(circle-outline) nothing reconciled');
}

function levelOf(status: StatusView): StatusLevel {
  return status.cluster?.reachable === true && status.counts.failed > 0 ? 'warning' : 'normal';
}

function tooltipOf(status: StatusView): StatusText['tooltip'] {
  const { cluster } = status;
  const counts = (Object.entries(status.counts) as [SyncState, number][])
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
  const objects = [['Flux objects', counts === '' ? 'none found' : counts]] as const;
  if (cluster === undefined)
    return [['Cluster', 'none: the trees are built from the files alone'], ...objects];
  return [
    ['Cluster', `${cluster.context} (${cluster.server})`],
    ['Kubernetes', cluster.reachable ? (cluster.version ?? 'version not known') : 'unreachable'],
    ...(cluster.message === undefined ? [] : ([['Message', cluster.message]] as const)),
    ['Mode', cluster.mode],
    ['Reconciled by', reconcilerText(cluster.reconciler)],
    ...objects,
  ];
}

/** Who reconciles, in words. */
export function reconcilerText(reconciler: NonNullable<StatusView['cluster']>['reconciler']): string {
  switch (reconciler) {
    case 'flux':
      return 'the Flux controllers in the cluster';
    case 'plumb':
      return 'this Plumb';
    case 'otherPlumb':
      return 'another Plumb';
    case 'none':
      return 'nobody';
    case 'unknown':
      return 'not known';
  }
}
