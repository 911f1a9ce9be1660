import type { Bench, Figure } from './figure.ts';
import { measureDiffs } from './reconcile/diffs.ts';
import { applyDirectly, reconcileByController, reconcileByPlumb } from './reconcile/manyKustomizations.ts';
import { measureSave } from './reconcile/save.ts';

/**
 * The reconciler beside the real kustomize-controller and beside no reconciler at all, in the same run on the same flags; diffs
 * beside raw dry-runs; a save on its way to the cluster; memory and idle processor time of the engine. `large` does it with
 * 1,000 Kustomizations too, which takes minutes.
 */
export const bench: Bench = async ({ smoke, large }) => [
  ...(await measureDiffs(smoke ? 20 : 500, smoke ? 1 : 7)),
  ...(await measureSave(smoke ? 2 : 15)),
  ...(await measureMany(smoke ? 5 : 200, 2.5, true)),
  ...(large ? await measureMany(1000, 1.5, false) : []),
];

async function measureMany(
  count: number,
  limit: number,
  withController: boolean,
): Promise<readonly Figure[]> {
  const direct = await applyDirectly(count);
  const plumb = await reconcileByPlumb(count);
  const name = `${count} Kustomizations`;
  return [
    { name: `${name}: their objects applied at once`, value: direct, unit: 'ms' },
    { name: `${name}: Ready by Plumb`, value: plumb.elapsedMs, unit: 'ms' },
    { name: `${name}: Plumb / applied at once`, value: plumb.elapsedMs / direct, unit: '×', limit },
    { name: `${name}: engine memory`, value: plumb.memory, unit: 'MB', limit: 200 },
    { name: `${name}: engine idle, processor ms per s`, value: plumb.idleMsPerSecond, unit: 'ms', limit: 20 },
    ...(withController ? await besideController(name, count, plumb.elapsedMs) : []),
  ];
}

async function besideController(name: string, count: number, plumbMs: number): Promise<readonly Figure[]> {
  const controller = await reconcileByController(count);
  return [
    { name: `${name}: Ready by kustomize-controller`, value: controller, unit: 'ms' },
    // Seven times faster, as a ratio that must stay small.
    { name: `${name}: Plumb / kustomize-controller`, value: plumbMs / controller, unit: '×', limit: 1 / 7 },
  ];
}
