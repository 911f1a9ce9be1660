import type { FluxNode } from '../../protocol/views.ts';

/** How many workloads need a look; none when all is well. */
export function troubleBadge(
  workloads: readonly FluxNode[],
): { readonly value: number; readonly tooltip: string } | undefined {
  const failed = workloads.filter(({ state }) => state === 'failed').length;
  const drifted = workloads.filter(({ state }) => state === 'drifted').length;
  if (failed + drifted === 0) return undefined;
  const parts = [...(failed > 0 ? [`${failed} failed`] : []), ...(drifted > 0 ? [`${drifted} drifted`] : [])];
  return { value: failed + drifted, tooltip: parts.join(', ') };
}
