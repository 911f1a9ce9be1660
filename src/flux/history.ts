import { formatDuration, type DurationMs } from '../base/duration.ts';
import type { KustomizationStatusHistoryItem } from './api/kustomize.gen.ts';
import { formatTime } from './conditions.ts';

type History = readonly KustomizationStatusHistoryItem[];

const kept = 5;

export interface HistoryRun {
  /** Of the built manifests. */
  readonly digest: string;
  /** The condition reason the run ended with. */
  readonly status: string;
  readonly now: number;
  readonly duration: DurationMs;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The history with the run in front: an entry of the same digest and status is counted up, five are kept. */
export function addToHistory(history: History, run: HistoryRun): History {
  const isSame = (item: KustomizationStatusHistoryItem): boolean =>
    item.digest === run.digest && item.lastReconciledStatus === run.status;
  const existing = history.find(isSame);
  const time = formatTime(run.now);
  const entry: KustomizationStatusHistoryItem = {
    digest: run.digest,
    firstReconciled: existing?.firstReconciled ?? time,
    lastReconciled: time,
    lastReconciledDuration: formatDuration(run.duration),
    lastReconciledStatus: run.status,
    totalReconciliations: (existing?.totalReconciliations ?? 0) + 1,
    metadata: run.metadata,
  };
  return [entry, ...history.filter((item) => !isSame(item))].slice(0, kept);
}
