import { fluxKinds } from '../../flux/kinds.gen.ts';
import { type KubeObject, type ObjectRef, parseApiVersion, refKey } from '../../kube/object.ts';
import { isJsonObject } from '../../base/json.ts';
import type { TraceStep } from '../../protocol/look.ts';
import type { FluxNode, InventoryNode, TreeView } from '../../protocol/views.ts';

const kustomizeGroup = 'kustomize.toolkit.fluxcd.io';
const helmGroup = 'helm.toolkit.fluxcd.io';

/** The workload that says it applied the object: by the ownership labels, which every object of a controller carries. */
export function workloadOfLabels(object: KubeObject): ObjectRef | undefined {
  for (const group of [kustomizeGroup, helmGroup]) {
    const name = object.metadata.labels?.[`${group}/name`];
    const namespace = object.metadata.labels?.[`${group}/namespace`];
    const known = fluxKinds.find((kind) => kind.group === group);
    if (name !== undefined && namespace !== undefined && known !== undefined)
      return { group, version: known.version, kind: known.kind, namespace, name };
  }
  return undefined;
}

/** The controlling owner of an object, or its first one. */
export function ownerOf(object: KubeObject): ObjectRef | undefined {
  const owners = object.metadata['ownerReferences'];
  const listed = Array.isArray(owners) ? (owners as readonly unknown[]).filter(isJsonObject) : [];
  const owner = listed.find(({ controller }) => controller === true) ?? listed[0];
  if (owner === undefined) return undefined;
  const { apiVersion, kind, name } = owner;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string')
    return undefined;
  const { namespace } = object.metadata;
  return { ...parseApiVersion(apiVersion), kind, name, ...(namespace !== undefined && { namespace }) };
}

/** The workload whose inventory or build holds the object, and its entry there. */
export function holderOf(
  tree: TreeView,
  matches: (ref: ObjectRef) => boolean,
): { readonly workload: FluxNode; readonly entry: InventoryNode } | undefined {
  for (const workload of tree.workloads) {
    const entry = workload.inventory.find(({ ref }) => matches(ref));
    if (entry !== undefined) return { workload, entry };
  }
  return undefined;
}

/** From a workload up to the one that applies it, and so on; a workload that applies itself, as flux-system does, ends it. */
export function stepsFrom(tree: TreeView, start: ObjectRef | undefined): readonly TraceStep[] {
  const steps: TraceStep[] = [];
  const seen = new Set<string>();
  for (let ref = start; ref !== undefined && !seen.has(refKey(ref));) {
    seen.add(refKey(ref));
    const workload = nodeOf(tree.workloads, ref);
    if (workload === undefined) break;
    const source = nodeOf(tree.sources, workload.sourceRef);
    steps.push({ workload, ...(source !== undefined && { source }) });
    const self = refKey(ref);
    ref = workload.parent ?? holderOf(tree, (entry) => refKey(entry) === self)?.workload.ref;
  }
  return steps;
}

/** The node of that object. */
export function nodeOf(nodes: readonly FluxNode[], ref: ObjectRef | undefined): FluxNode | undefined {
  if (ref === undefined) return undefined;
  const key = refKey(ref);
  return nodes.find((node) => refKey(node.ref) === key);
}
