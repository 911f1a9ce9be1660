import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { createClusterClient } from '../clients/cluster/createClusterClient.ts';
import { kubeconfigOfConfigMap, type TokenIdentity } from './configMapKubeconfig.ts';
import { sanitizeKubeconfig, type KubeconfigPolicy } from './remoteKubeconfig.ts';
import { resendingClient } from './resendingClient.ts';
import type { RunContext } from './runContext.ts';

/** Whose rights the writes of a run have, and on which cluster. */
export interface TargetOptions {
  /** Who to act as; the client's own user when absent. */
  readonly user?: { readonly userName: string; readonly groups: readonly string[] };
  /** A Secret with the kubeconfig of another cluster. */
  readonly kubeConfigSecret?: { readonly namespace: string; readonly name: string; readonly key?: string };
  /** A ConfigMap that describes another cluster, and whose token opens it. */
  readonly kubeConfigMap?: {
    readonly namespace: string;
    readonly name: string;
    readonly identity: TokenIdentity;
  };
  readonly policy: KubeconfigPolicy;
}

/** A cluster to write to; `close` ends what was opened for it. */
export interface TargetCluster {
  readonly cluster: ClusterClient;
  close(): void;
}

/**
 * The client that plan, apply, prune and wait of a run use. The kubeconfig's Secret is read with the run's own rights.
 * Throws AccessDenied when acting as the user is refused: the user's own rights never stand in for them.
 */
export async function targetCluster(ctx: RunContext, options: TargetOptions): Promise<TargetCluster> {
  const { user } = options;
  const kubeconfig = await remoteKubeconfig(ctx, options);
  const remote = kubeconfig === undefined ? undefined : await openRemote(ctx, kubeconfig);
  const cluster = remote ?? ctx.cluster;
  const close = (): void => remote?.close();
  if (user === undefined) return { cluster, close };
  const impersonated = cluster.impersonate(user);
  const answer = await impersonated.raw('/version', ctx.signal);
  if (answer.type === 'refused' && answer.refusal.httpStatus === 403) {
    close();
    throw plumbError('AccessDenied', {
      message: `acting as ${user.userName} was refused: ${answer.refusal.message}`,
      reason: 'ReconciliationFailed',
      hint: `the right to impersonate ${user.userName} is needed; Plumb never writes with your own rights in its place`,
    });
  }
  return { cluster: impersonated, close };
}

/** The run's context on its target. Watches that were opened with other rights are not followed there. */
export function onTarget<C extends RunContext>(ctx: C, { cluster }: TargetCluster): C {
  if (cluster === ctx.cluster) return ctx;
  const { follower: _follower, watched: _watched, ...rest } = ctx;
  return { ...rest, cluster } as C;
}

interface RemoteKubeconfig {
  readonly text: Secret<string>;
  readonly subject: string;
}

/** The kubeconfig of the cluster that is not this one; undefined where it is this one. */
async function remoteKubeconfig(
  ctx: RunContext,
  { kubeConfigSecret, kubeConfigMap, policy }: TargetOptions,
): Promise<RemoteKubeconfig | undefined> {
  if (kubeConfigSecret !== undefined) return kubeconfigOfSecret(ctx, kubeConfigSecret, policy);
  if (kubeConfigMap === undefined) return undefined;
  const text = await kubeconfigOfConfigMap(ctx, kubeConfigMap, kubeConfigMap.identity);
  return { text, subject: `ConfigMap/${kubeConfigMap.namespace}/${kubeConfigMap.name}` };
}

async function openRemote(ctx: RunContext, kubeconfig: RemoteKubeconfig): Promise<ClusterClient> {
  const remote = await createClusterClient({ kubeconfig, log: ctx.log });
  return resendingClient(ctx.guarded?.(remote) ?? remote, ctx);
}

async function kubeconfigOfSecret(
  ctx: RunContext,
  { namespace, name, key }: NonNullable<TargetOptions['kubeConfigSecret']>,
  policy: KubeconfigPolicy,
): Promise<RemoteKubeconfig> {
  const subject = `Secret/${namespace}/${name}`;
  const answer = await ctx.cluster.get(
    { group: '', version: 'v1', kind: 'Secret', namespace, name },
    ctx.signal,
  );
  if (answer.type === 'refused') {
    throw plumbError('KubeconfigInvalid', {
      subject,
      message: `the kubeconfig cannot be read: ${answer.refusal.message}`,
      hint: 'create the Secret that spec.kubeConfig.secretRef names',
    });
  }
  const data = isJsonObject(answer.value['data']) ? answer.value['data'] : {};
  const keys = key === undefined || key === '' ? ['value', 'value.yaml'] : [key];
  const found = keys.map((candidate) => data[candidate]).find((value) => typeof value === 'string');
  if (found === undefined) {
    throw plumbError('KubeconfigInvalid', {
      subject,
      message: `the Secret has no key ${keys.join(' or ')}`,
      hint: 'store the kubeconfig there, or name its key in spec.kubeConfig.secretRef.key',
    });
  }
  const text = sanitizeKubeconfig(Buffer.from(found, 'base64').toString(), subject, policy);
  return { text: new Secret(text), subject };
}
