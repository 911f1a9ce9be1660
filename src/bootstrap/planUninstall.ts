import { isJsonObject, type JsonObject } from '../base/json.ts';
import { mapLimit } from '../base/mapLimit.ts';
import { plumbError } from '../base/plumbError.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import { refOfInventoryEntry } from '../kube/inventoryId.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { refusedError } from './refusedError.ts';

/** What an uninstall takes away, in its order, and what it leaves. */
export interface UninstallDraft {
  readonly namespace: string;
  readonly deletions: readonly ObjectRef[];
  /** Flux objects of every namespace: finalizers are stripped, then they go with their definitions. */
  readonly fluxObjects: readonly ObjectRef[];
  readonly orphans: readonly { readonly owner: ObjectRef; readonly objects: number }[];
  readonly notes: readonly string[];
}

type Kind = Pick<ObjectRef, 'group' | 'version' | 'kind'>;

const partOf = 'app.kubernetes.io/part-of=flux';
const deployments: Kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
const definitions: Kind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
};
/** Contract 7.4: controllers first, so that nothing prunes when their objects go. */
const inNamespace: readonly Kind[] = [
  deployments,
  { group: '', version: 'v1', kind: 'Service' },
  { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy' },
  { group: '', version: 'v1', kind: 'ServiceAccount' },
];
const clusterWide: readonly Kind[] = [
  { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRoleBinding' },
];
const concurrency = 8;

/**
 * Lists what `uninstall` will delete and what stays. Read-only. Throws NotFound when there is no installation, ModeForbids
 * when another namespace has one too: the definitions are theirs as well.
 */
export async function planUninstall(
  ctx: RunContext,
  namespace: string,
  keepNamespace: boolean,
): Promise<UninstallDraft> {
  await requireOnlyInstallation(ctx, namespace);
  const listed = await mapLimit(
    [
      ...inNamespace.map((kind) => ({ kind, options: { namespace, labelSelector: partOf } })),
      ...clusterWide.map((kind) => ({ kind, options: { labelSelector: partOf } })),
      { kind: definitions, options: { labelSelector: partOf } },
    ],
    concurrency,
    ({ kind, options }) => listAll(ctx, kind, options),
    ctx.signal,
  );
  const crds = listed.at(-1) ?? [];
  const fluxObjects = await listFluxObjects(ctx, crds);
  const namespaceRef: ObjectRef = { group: '', version: 'v1', kind: 'Namespace', name: namespace };
  const live = await ctx.cluster.get(namespaceRef, ctx.signal);
  const hasNamespace = live.type === 'ok';
  const deletions = [...listed.flat().map(refOf), ...(hasNamespace && !keepNamespace ? [namespaceRef] : [])];
  if (crds.length === 0 && fluxObjects.length === 0 && listed.every((objects) => objects.length === 0)) {
    throw plumbError('NotFound', {
      subject: formatRef(namespaceRef),
      message: 'no Flux installation was found in it, and no definitions of Flux in the cluster',
      hint: 'name its namespace with --namespace; plumb check shows what there is',
    });
  }
  return {
    namespace,
    deletions,
    fluxObjects: fluxObjects.map(refOf),
    orphans: fluxObjects.flatMap((object) => orphansOf(object, deletions, fluxObjects)),
    notes: [
      'Workloads stay as they are; files in Git and Helm release records outside this namespace are not touched.',
      ...(hasNamespace && !keepNamespace ? await namespaceNotes(ctx, namespace) : []),
    ],
  };
}

async function requireOnlyInstallation(ctx: RunContext, namespace: string): Promise<void> {
  const all = await listAll(ctx, deployments, { labelSelector: partOf });
  const other = all.find(({ metadata }) => metadata.namespace !== namespace);
  if (other === undefined) return;
  throw plumbError('ModeForbids', {
    subject: formatRef(refOf(other)),
    message: `Flux is also installed in namespace ${other.metadata.namespace ?? ''}, and its definitions are shared`,
    hint: 'uninstall that installation first, or delete only the Deployments of this one',
  });
}

async function listFluxObjects(ctx: RunContext, crds: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const names = new Set(crds.map(({ metadata }) => metadata.name));
  const served = fluxKinds.filter(({ group, plural }) => names.has(`${plural}.${group}`));
  return (await mapLimit(served, concurrency, (kind) => listAll(ctx, kind, {}), ctx.signal)).flat();
}

/** The objects of the kind; none where the server does not serve it. */
async function listAll(
  ctx: RunContext,
  kind: Kind,
  options: { readonly namespace?: string; readonly labelSelector?: string; readonly metadataOnly?: boolean },
): Promise<readonly KubeObject[]> {
  const answer = await ctx.cluster.list(kind, options, ctx.signal);
  if (answer.type === 'ok') return answer.value;
  if (answer.refusal.httpStatus === 404) return [];
  throw refusedError({ ...kind, name: '*' }, 'list', answer.refusal);
}

/** What the object applied and what stays: not Flux itself, and nothing of a namespace that goes. */
function orphansOf(
  object: KubeObject,
  deletions: readonly ObjectRef[],
  fluxObjects: readonly KubeObject[],
): UninstallDraft['orphans'] {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const inventory = isJsonObject(status['inventory']) ? status['inventory'] : {};
  const entries = inventory['entries'];
  if (!Array.isArray(entries)) return [];
  const gone = new Set([...deletions, ...fluxObjects.map(refOf)].map(refKey));
  const namespaces = new Set(deletions.filter(({ kind }) => kind === 'Namespace').map(({ name }) => name));
  const staying = (entries as readonly JsonObject[]).filter(({ id, v }) => {
    const ref = refOfInventoryEntry({ id: String(id), v: String(v) });
    return ref === undefined || !(gone.has(refKey(ref)) || namespaces.has(ref.namespace ?? ''));
  });
  return staying.length === 0 ? [] : [{ owner: refOf(object), objects: staying.length }];
}

async function namespaceNotes(ctx: RunContext, namespace: string): Promise<readonly string[]> {
  const metadataOnly = true;
  const count = async (kind: string): Promise<number> =>
    (await listAll(ctx, { group: '', version: 'v1', kind }, { namespace, metadataOnly })).filter(
      // The control plane puts it into every namespace.
      ({ metadata }) => metadata.name !== 'kube-root-ca.crt',
    ).length;
  const [secrets, configMaps, claims] = await Promise.all([
    count('Secret'),
    count('ConfigMap'),
    count('PersistentVolumeClaim'),
  ]);
  const parts = [
    [secrets, 'Secret'],
    [configMaps, 'ConfigMap'],
    [claims, 'PersistentVolumeClaim'],
  ] as const;
  const found = parts
    .filter(([number]) => number > 0)
    .map(([number, kind]) => `${number} ${kind}${number === 1 ? '' : 's'}`);
  return found.length === 0
    ? []
    : [`Namespace ${namespace} goes with everything in it: ${found.join(', ')}; keys in them are lost.`];
}
