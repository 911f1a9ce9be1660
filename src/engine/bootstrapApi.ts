import { readFile } from 'node:fs/promises';
import { asPlumbError, plumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import { formatComponents } from '../bootstrap/install.ts';
import type { SyncAuth } from '../bootstrap/bootstrapTarget.ts';
import { type BootstrapDraft, planBootstrap } from '../bootstrap/planBootstrap.ts';
import { applyInstall, planInstall } from '../bootstrap/planInstall.ts';
import { planUninstall, type UninstallDraft } from '../bootstrap/planUninstall.ts';
import type { BootstrapContext } from '../bootstrap/repository.ts';
import { runBootstrap } from '../bootstrap/runBootstrap.ts';
import { uninstall } from '../bootstrap/uninstall.ts';
import { generateSshKey, isEncryptedKey, type SshKeyPair } from '../clients/git/sshKey.ts';
import type {
  BootstrapOptions,
  BootstrapPlan,
  InstallOptions,
  InstallPlan,
  KeyAlgorithm,
  UninstallPlan,
} from '../protocol/bootstrap.ts';
import type { Credentials } from '../protocol/credentials.ts';
import type { BootstrapApi, CallOptions, Engine } from '../protocol/engine.ts';
import { bootstrapPlanView } from './bootstrapPlanView.ts';
import { checkCluster } from './checkCluster.ts';
import type { ClusterSession } from './clusterSession.ts';
import type { EngineCore } from './engineCore.ts';
import { PlanStore } from './planStore.ts';
import { reconcileSync } from './reconcileSync.ts';

interface Kept<View, Draft> {
  readonly view: View;
  readonly draft: Draft;
}

/** The part of the engine that sets Flux up and takes it away: plans kept behind ids, credentials asked, progress told. */
export function createBootstrapApi(
  core: EngineCore,
  engine: Pick<Engine, 'reconcile' | 'setMode'>,
): BootstrapApi {
  const installs = new PlanStore<Kept<InstallPlan, InstallOptions>>();
  const bootstraps = new PlanStore<
    Kept<BootstrapPlan, { options: BootstrapOptions; draft: BootstrapDraft }>
  >();
  const deployKeys = new DeployKeys();
  const uninstalls = new PlanStore<Kept<UninstallPlan, UninstallDraft>>();

  const open = async (
    call: CallOptions | undefined,
  ): Promise<{ readonly ctx: BootstrapContext; readonly session: ClusterSession }> => {
    const { session } = await core.connected();
    const { clock, log, git } = core.deps;
    const { signal } = core.closing;
    return {
      session,
      ctx: {
        cluster: session.cluster,
        clock,
        log,
        git,
        signal: call?.signal === undefined ? signal : AbortSignal.any([call.signal, signal]),
      },
    };
  };

  return {
    exportInstall: (namespace) => Promise.resolve(formatComponents(namespace)),

    async planInstall(options, call) {
      const { ctx, session } = await open(call);
      await session.requireBound(ctx.signal);
      await requireSameNamespace(session, options.namespace, ctx.signal);
      const plan = await planInstall(ctx, options.namespace, options.force);
      return installs.add((id) => ({ draft: options, view: { id, cluster: session.context, ...plan } })).view;
    },
    async install(planId, call) {
      const { draft } = installs.take(planId);
      const { ctx } = await open(call);
      // Once more: the cluster may have got an installation since the plan was shown.
      await planInstall(ctx, draft.namespace, draft.force);
      return { planId, objects: await applyInstall(ctx, draft.namespace) };
    },

    async planBootstrap(options, call) {
      const { ctx, session } = await open(call);
      await session.requireBound(ctx.signal);
      await requireSameNamespace(session, options.namespace, ctx.signal);
      const { caFile, auth: _auth, timeoutMs: _timeoutMs, ...rest } = options;
      const draft = await planBootstrap(ctx, {
        ...rest,
        auth: await authOf(options, core.deps.credentials, deployKeys, ctx.signal),
        ...(caFile !== undefined && { caBundle: await readText(caFile, 'certificate file') }),
      });
      const { reconciler } = await session.installation(ctx.signal);
      const { view } = bootstraps.add((id) => ({
        draft: { options, draft },
        view: bootstrapPlanView(id, session.context, draft, reconciler),
      }));
      return view;
    },
    async bootstrap(planId, call) {
      const { draft: kept, view } = bootstraps.take(planId);
      const { ctx, session } = await open(call);
      const report = (
        step: Parameters<Parameters<typeof runBootstrap>[2]>[0] | 'reconcile',
        state: 'started' | 'done' | 'skipped' | 'failed',
        message: string,
      ): void => core.emit({ type: 'bootstrapProgress', planId, step, state, message });
      const outcome = await runBootstrap(ctx, kept.draft, report);
      report('reconcile', 'started', '');
      const { run, revision } = await reconcileSync({
        ctx,
        session,
        options: kept.options,
        head: outcome.head,
        engine,
        ...(view.deployKey !== undefined && { publicKey: view.deployKey.publicKey }),
      }).catch((error: unknown) => {
        report('reconcile', 'failed', asPlumbError(error).message);
        throw error;
      });
      report('reconcile', 'done', `applied ${revision}`);
      return {
        planId,
        commits: outcome.commits,
        revision,
        run,
        ...(view.deployKey !== undefined && { deployKey: view.deployKey }),
        nextSteps: nextSteps(kept.options, view),
      };
    },

    async check(namespace, call) {
      const { ctx, session } = await open(call);
      return checkCluster(ctx, session, namespace);
    },

    async planUninstall(options, call) {
      const { ctx, session } = await open(call);
      await session.requireBound(ctx.signal);
      await requireNoOtherPlumb(session, ctx.signal);
      const draft = await planUninstall(ctx, options.namespace, options.keepNamespace);
      const { namespace: _namespace, ...shown } = draft;
      return uninstalls.add((id) => ({ draft, view: { id, cluster: session.context, ...shown } })).view;
    },
    async uninstall(planId, call) {
      const { draft } = uninstalls.take(planId);
      const { ctx, session } = await open(call);
      await requireNoOtherPlumb(session, ctx.signal);
      if (session.mode === 'local') await engine.setMode('observe', call);
      const report = (state: 'started' | 'done' | 'failed', message: string): void =>
        core.emit({ type: 'bootstrapProgress', planId, step: 'uninstall', state, message });
      report('started', '');
      const outcome = await uninstall(ctx, draft);
      const { deleted, failures } = outcome;
      if (failures.length === 0) report('done', `${deleted.length} deleted`);
      else report('failed', `${deleted.length} deleted, ${failures.length} failed`);
      return { planId, ...outcome };
    },
  };
}

/** Keys made for plans: whoever plans again meanwhile may have registered the one that was shown. Never on a disk. */
class DeployKeys {
  readonly #pairs = new Map<string, Promise<SshKeyPair>>();

  pairFor({ url, namespace }: BootstrapOptions, algorithm: KeyAlgorithm): Promise<SshKeyPair> {
    const key = JSON.stringify([url, namespace, algorithm]);
    const pair = this.#pairs.get(key) ?? generateSshKey(algorithm);
    this.#pairs.set(key, pair);
    return pair;
  }
}

async function authOf(
  options: BootstrapOptions,
  credentials: Credentials,
  deployKeys: DeployKeys,
  signal: AbortSignal,
): Promise<SyncAuth> {
  const { auth, url } = options;
  const host = URL.parse(url)?.host ?? '';
  switch (auth.type) {
    case 'none':
      return auth;
    case 'password': {
      const request = { purpose: 'gitPassword', host, username: auth.username } as const;
      const password = await credentials.get(request, signal);
      if (password === undefined) throw missing(`no password or token for ${auth.username} at ${host}`);
      return { type: 'password', username: auth.username, password };
    }
    case 'bearer': {
      const token = await credentials.get({ purpose: 'gitToken', host }, signal);
      if (token === undefined) throw missing(`no bearer token for ${host}`);
      return { type: 'bearer', token };
    }
    case 'deployKey':
      return { type: 'deployKey', pair: await deployKeys.pairFor(options, auth.algorithm) };
    case 'privateKeyFile': {
      const identity = new Secret(await readText(auth.path, 'private key file'));
      if (!isEncryptedKey(identity)) return { type: 'privateKey', identity };
      const passphrase = await credentials.get({ purpose: 'sshKeyPassphrase', host: auth.path }, signal);
      if (passphrase === undefined) throw missing(`no passphrase for the encrypted key ${auth.path}`);
      return { type: 'privateKey', identity, passphrase };
    }
  }
}

function missing(message: string): Error {
  return plumbError('AuthenticationFailed', {
    message,
    hint: 'set GIT_PASSWORD, or run where it can be asked for',
  });
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw plumbError('InvalidConfiguration', {
      subject: path,
      message: `the ${what} cannot be read: ${code ?? String(error)}`,
      hint: 'name a file that exists and that you may read',
      cause: error,
    });
  }
}

/** The definitions say in which namespace the Leases lie: moving them would let a second Plumb reconcile beside the first. */
async function requireSameNamespace(
  session: ClusterSession,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const { live, targets } = await session.installation(signal);
  const isHeld = session.mode === 'local' || live.some(({ holder }) => holder.startsWith('plumb_'));
  const [target] = targets;
  if (!isHeld || target === undefined || targets.some((each) => each.namespace === namespace)) return;
  throw plumbError('ModeForbids', {
    message: `Plumb reconciles ${session.context} for the installation in namespace ${target.namespace}`,
    hint: `use that namespace, or switch to observe mode before you set up ${namespace}`,
  });
}

async function requireNoOtherPlumb(session: ClusterSession, signal: AbortSignal): Promise<void> {
  const { live } = await session.installation(signal);
  const other = live.find(({ holder }) => holder.startsWith('plumb_'));
  if (other === undefined) return;
  throw plumbError('ModeForbids', {
    message: `another Plumb reconciles ${session.context}: ${other.why}`,
    hint: 'switch it to observe mode or close it first, so that it does not act on objects that go away',
  });
}

function nextSteps({ path, namespace }: BootstrapOptions, plan: BootstrapPlan): readonly string[] {
  const place = path === '' || path === './' ? 'the repository' : path;
  return [
    `Commit manifests below ${place}; they are applied at the next interval or with plumb reconcile kustomization ${namespace} --with-source.`,
    ...(plan.reconciler === 'plumb'
      ? [
          'Nobody reconciles while no Plumb runs: keep a window in local mode or plumb watch open, or install Flux.',
        ]
      : []),
  ];
}
