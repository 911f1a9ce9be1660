import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import { type HostKey, knownHostsName, scanHostKeys } from '../clients/git/scanHostKeys.ts';
import { sshFingerprint, sshPublicKeyOf } from '../clients/git/sshKey.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { cliFieldManager } from './applyStaged.ts';
import type { BootstrapTarget } from './bootstrapTarget.ts';
import { refusedError } from './refusedError.ts';

/** What the sync Secret will hold, and how that differs from what it holds now. */
export interface SyncSecretPlan {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged';
  /** Every key it will have, with its value. */
  readonly data: ReadonlyMap<string, Secret<string>>;
  /** Keys of another way to log in, which the reconciler would refuse beside these. */
  readonly removed: readonly string[];
  /** The public half of the key the cluster logs in with; `isNew` when it was not there before. */
  readonly deployKey?: {
    readonly algorithm: string;
    readonly publicKey: string;
    readonly fingerprint: string;
    readonly isNew: boolean;
  };
  /** Host keys that were scanned now and are trusted from then on. */
  readonly hostKeys: readonly HostKey[];
}

type SecretData = ReadonlyMap<string, Secret<string>>;

const loginKeys = ['username', 'password', 'bearerToken', 'identity', 'identity.pub', 'known_hosts'] as const;

/**
 * Plans the Secret the GitRepository logs in with; undefined when none is needed. Reads the cluster and, over SSH for a host
 * not known yet, its host keys. A key pair that is there is kept. Contract 7.2, step 5.
 */
export async function planSyncSecret(
  ctx: RunContext,
  target: BootstrapTarget,
): Promise<SyncSecretPlan | undefined> {
  const { request } = target;
  if (request.auth.type === 'none' && request.caBundle === undefined) return undefined;
  const ref: ObjectRef = {
    group: '',
    version: 'v1',
    kind: 'Secret',
    namespace: request.namespace,
    name: request.secretName,
  };
  const live = await readSecretData(ctx, ref);
  const login = await loginOf(ctx, target, live ?? new Map());
  const data = new Map(login.data);
  if (request.caBundle !== undefined) data.set('ca.crt', new Secret(request.caBundle));
  const removed = loginKeys.filter((key) => live?.has(key) === true && !data.has(key));
  const isSame =
    removed.length === 0 && [...data].every(([key, value]) => live?.get(key)?.reveal() === value.reveal());
  return {
    ref,
    action: live === undefined ? 'created' : isSame ? 'unchanged' : 'configured',
    data,
    removed,
    ...(login.publicKey !== undefined && {
      deployKey: {
        algorithm: login.publicKey.split(' ')[0] ?? '',
        publicKey: login.publicKey,
        fingerprint: sshFingerprint(login.publicKey),
        isNew: live?.get('identity')?.reveal() !== data.get('identity')?.reveal(),
      },
    }),
    hostKeys: login.hostKeys,
  };
}

/** Writes the Secret as planned: one request, so it is there whole or not at all. */
export async function applySyncSecret(ctx: RunContext, plan: SyncSecretPlan): Promise<void> {
  const { ref } = plan;
  if (plan.action === 'unchanged') return;
  const encode = (value: Secret<string>): string => Buffer.from(value.reveal()).toString('base64');
  const data: Record<string, string | null> = Object.fromEntries(
    [...plan.data].map(([key, value]) => [key, encode(value)]),
  );
  if (plan.action === 'created') {
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: ref.name, namespace: ref.namespace ?? '' },
      type: 'Opaque',
      data,
    };
    const created = await ctx.cluster.create(secret, { fieldManager: cliFieldManager }, ctx.signal);
    if (created.type === 'refused') throw refusedError(ref, 'create', created.refusal);
  } else {
    for (const key of plan.removed) data[key] = null;
    const options = { type: 'merge', fieldManager: cliFieldManager } as const;
    const patched = await ctx.cluster.patch(ref, { data }, options, ctx.signal);
    if (patched.type === 'refused') throw refusedError(ref, 'patch', patched.refusal);
  }
  ctx.log.info('wrote the sync secret', { ref: formatRef(ref), action: plan.action });
}

interface Login {
  readonly data: SecretData;
  readonly publicKey?: string;
  readonly hostKeys: readonly HostKey[];
}

async function loginOf(ctx: RunContext, target: BootstrapTarget, live: SecretData): Promise<Login> {
  const { auth } = target.request;
  switch (auth.type) {
    case 'none':
      return { data: new Map(), hostKeys: [] };
    case 'password':
      return {
        data: new Map([
          ['username', new Secret(auth.username)],
          ['password', auth.password],
        ]),
        hostKeys: [],
      };
    case 'bearer':
      return { data: new Map([['bearerToken', auth.token]]), hostKeys: [] };
    case 'deployKey': {
      const kept = live.get('identity');
      if (kept !== undefined) return sshLogin(ctx, target, live, kept, live.get('password'));
      return sshLogin(ctx, target, live, auth.pair.identity, undefined);
    }
    case 'privateKey':
      return sshLogin(ctx, target, live, auth.identity, auth.passphrase);
  }
}

async function sshLogin(
  ctx: RunContext,
  target: BootstrapTarget,
  live: SecretData,
  identity: Secret<string>,
  passphrase: Secret<string> | undefined,
): Promise<Login> {
  const publicKey = sshPublicKeyOf(identity, passphrase);
  const known = live.get('known_hosts')?.reveal() ?? '';
  const hosts = [...hostsOf(target)].filter(([name]) => !knowsHost(known, name));
  const scans = hosts.map(([, { host, port }]) => scanHostKeys(host, port, ctx.signal));
  const hostKeys = (await Promise.all(scans)).flat();
  const lines = [...known.split('\n').filter((line) => line !== ''), ...hostKeys.map(({ line }) => line)];
  return {
    data: new Map([
      ['identity', identity],
      ['identity.pub', new Secret(`${publicKey}\n`)],
      ['known_hosts', new Secret(`${lines.join('\n')}\n`)],
      ...(passphrase === undefined ? [] : ([['password', passphrase]] as const)),
    ]),
    publicKey,
    hostKeys,
  };
}

/** The servers whose keys must be known: what the cluster asks, and what this run asks where that is another name. */
function hostsOf({ syncUrl, url }: BootstrapTarget): ReadonlyMap<string, { host: string; port: number }> {
  return new Map(
    [new URL(syncUrl), url].map(({ hostname, port: text }) => {
      const port = text === '' ? 22 : Number(text);
      return [knownHostsName(hostname, port), { host: hostname, port }];
    }),
  );
}

function knowsHost(knownHosts: string, name: string): boolean {
  return knownHosts.split('\n').some((line) => (line.split(' ')[0] ?? '').split(',').includes(name));
}

async function readSecretData(ctx: RunContext, ref: ObjectRef): Promise<SecretData | undefined> {
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'refused') {
    if (answer.refusal.httpStatus === 404) return undefined;
    throw refusedError(ref, 'get', answer.refusal);
  }
  if (answer.value['immutable'] === true)
    throw plumbError('InvalidConfiguration', {
      subject: formatRef(ref),
      message: 'is immutable, so the credentials in it can never be renewed',
      hint: 'delete it, or choose another name with --secret-name',
    });
  const data = isJsonObject(answer.value['data']) ? answer.value['data'] : {};
  return new Map(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, new Secret(Buffer.from(value, 'base64').toString())]] : [],
    ),
  );
}
