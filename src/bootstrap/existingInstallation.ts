import { isJsonObject, type JsonValue } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Refusal } from '../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { refusedError } from './refusedError.ts';

/** What of a Flux installation stands in the cluster already. */
export interface ExistingInstallation {
  /** The definition of GitRepository, which upstream's command line judges an installation by. */
  readonly definition?: KubeObject;
  /** Deployments of controllers in the install namespace, also at zero replicas. */
  readonly controllers: readonly KubeObject[];
}

const definitionRef: ObjectRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  name: 'gitrepositories.source.toolkit.fluxcd.io',
};
const deploymentKind = { group: 'apps', version: 'v1', kind: 'Deployment' };

/** Reads the installation. Throws AccessDenied when definitions or Deployments cannot be read: nothing may be assumed then. */
export async function readExistingInstallation(
  ctx: RunContext,
  namespace: string,
): Promise<ExistingInstallation> {
  const answer = await askInstallation(ctx, namespace);
  if (answer.type === 'read') return answer.installation;
  throw refusedError(answer.ref, answer.what, answer.refusal);
}

/** The installation, or what of it this identity may not read. */
export async function askInstallation(
  ctx: RunContext,
  namespace: string,
): Promise<
  | { readonly type: 'read'; readonly installation: ExistingInstallation }
  | { readonly type: 'hidden'; readonly ref: ObjectRef; readonly what: string; readonly refusal: Refusal }
> {
  const definition = await ctx.cluster.get(definitionRef, ctx.signal);
  if (definition.type === 'refused' && definition.refusal.httpStatus !== 404)
    return { type: 'hidden', ref: definitionRef, what: 'get', refusal: definition.refusal };
  const options = { namespace, labelSelector: 'app.kubernetes.io/part-of=flux' };
  const deployments = await ctx.cluster.list(deploymentKind, options, ctx.signal);
  if (deployments.type === 'refused') {
    const ref = { ...deploymentKind, namespace, name: '*' };
    return { type: 'hidden', ref, what: 'list', refusal: deployments.refusal };
  }
  const controllers = deployments.value;
  return {
    type: 'read',
    installation: { ...(definition.type === 'ok' && { definition: definition.value }), controllers },
  };
}

/** The Kustomization that applies the installation from Git, as its labels say: then it `has been bootstrapped`. */
export function bootstrappedBy({ definition }: ExistingInstallation): string | undefined {
  const labels = definition?.metadata.labels;
  const namespace = labels?.['kustomize.toolkit.fluxcd.io/namespace'];
  if (namespace === undefined) return undefined;
  return `Kustomization/${namespace}/${labels?.['kustomize.toolkit.fluxcd.io/name'] ?? ''}`;
}

/** The tool that manages the installation when it is none of Flux's own; upstream asks before it takes over. */
export function managedBy({ definition }: ExistingInstallation): string | undefined {
  const manager = definition?.metadata.labels?.['app.kubernetes.io/managed-by'] ?? '';
  return manager === '' || manager === 'flux' ? undefined : manager;
}

/** Throws ModeForbids when another tool, as Helm or the Flux Operator, manages the installation. */
export function requireOwnInstallation(installation: ExistingInstallation): void {
  const manager = managedBy(installation);
  if (manager === undefined) return;
  throw plumbError('ModeForbids', {
    subject: `CustomResourceDefinition/${definitionRef.name}`,
    message: `the Flux installation is managed by ${manager}`,
    hint: `change it there, or use --force to take it over from ${manager}`,
  });
}

/** Throws ModeForbids when a FluxInstance runs the installation: what it owns would be undone. */
export async function requireNoFluxInstance(ctx: RunContext): Promise<void> {
  const kind = { group: 'fluxcd.controlplane.io', version: 'v1', kind: 'FluxInstance' };
  const instances = await ctx.cluster.list(kind, {}, ctx.signal);
  // Refused: the kind is not served, or not for us to see; either way the managed-by label above still speaks.
  const instance = instances.type === 'ok' ? instances.value[0] : undefined;
  if (instance === undefined) return;
  const spec = isJsonObject(instance['spec']) ? instance['spec'] : {};
  const sync: JsonValue | undefined = spec['sync'];
  const place = isJsonObject(sync) ? 'spec.sync of the FluxInstance' : 'a new spec.sync of the FluxInstance';
  throw plumbError('ModeForbids', {
    subject: `FluxInstance/${instance.metadata.namespace ?? ''}/${instance.metadata.name}`,
    message: 'the Flux Operator installs and syncs Flux in this cluster',
    hint: `set url, ref and path in ${place} instead`,
  });
}
