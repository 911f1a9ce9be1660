import { checkInstallation } from '../bootstrap/checkInstallation.ts';
import { defaultProfile, type ControllerProfile } from '../flux/controllerProfile.ts';
import type { CheckItem, CheckView } from '../protocol/bootstrap.ts';
import type { RunContext } from '../ssa/runContext.ts';
import type { ClusterSession } from './clusterSession.ts';

/** Everything `plumb check` tells: server, installation, definitions, who reconciles, and the policy a run would keep. */
export async function checkCluster(
  ctx: RunContext,
  session: ClusterSession,
  namespace: string,
): Promise<CheckView> {
  const items: readonly CheckItem[] = [
    ...(await checkInstallation(ctx, namespace)),
    await checkReconciler(session, ctx.signal),
    ...(await checkProfile(ctx, session)),
  ];
  return {
    cluster: session.context,
    mode: session.mode,
    items,
    passed: items.every(({ state }) => state !== 'failed'),
  };
}

async function checkReconciler(session: ClusterSession, signal: AbortSignal): Promise<CheckItem> {
  const group = 'reconciler';
  if (session.mode === 'local') return { group, state: 'passed', message: 'this Plumb, in local mode' };
  const { reconciler, live } = await session.installation(signal);
  const whys = [...new Set(live.map(({ why }) => why))].join('; ');
  switch (reconciler) {
    case 'flux':
      return { group, state: 'passed', message: `Flux in the cluster: ${whys}` };
    case 'otherPlumb':
      return { group, state: 'passed', message: `another Plumb: ${whys}` };
    case 'unknown':
      return {
        group,
        state: 'warning',
        message: `cannot be told: ${whys === '' ? 'Deployments and Leases cannot be read' : whys}`,
        hint: 'what cannot be read counts as live, so local mode is not offered; ask for the right to read Leases',
      };
    case 'none':
      return {
        group,
        state: 'warning',
        message: 'nobody: no Lease of the installation is being renewed',
        hint: 'plumb watch --local, or local mode in the editor, reconciles while it runs',
      };
  }
}

async function checkProfile(ctx: RunContext, session: ClusterSession): Promise<readonly CheckItem[]> {
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
  const selector = 'app.kubernetes.io/part-of=flux,app.kubernetes.io/component=kustomize-controller';
  const listed = await ctx.cluster.list(kind, { labelSelector: selector }, ctx.signal);
  if (listed.type === 'refused') {
    return [
      {
        group: 'profile',
        state: 'warning',
        message: `the controllers' policy cannot be read: ${listed.refusal.message}`,
        hint: 'without it neither local mode nor an override can start; ask for the right to list Deployments',
      },
    ];
  }
  const profile = await session.profile(ctx.signal);
  const from =
    listed.value.length === 0
      ? 'defaults of Flux 2.9'
      : `kustomize-controller ${profile.version ?? ''}`.trim();
  return [{ group: 'profile', state: 'passed', message: `${from}${differences(profile)}` }];
}

/** What an installation was told otherwise than upstream's manifests say. */
function differences(profile: ControllerProfile): string {
  const names = Object.keys(profile) as (keyof ControllerProfile)[];
  const texts = names
    .filter((name) => name !== 'version' && name !== 'runtimeNamespace' && name !== 'handedOverIn')
    .filter((name) => JSON.stringify(profile[name]) !== JSON.stringify(defaultProfile[name]))
    .map((name) => `${name}=${JSON.stringify(profile[name])}`);
  return texts.length === 0 ? '' : `, ${texts.join(', ')}`;
}
