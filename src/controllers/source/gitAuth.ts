import { Secret } from '../../base/secret.ts';
import { plumbError } from '../../base/plumbError.ts';
import { isJsonObject } from '../../base/json.ts';
import type { GitAuth, GitRemote } from '../../clients/git/gitRemote.ts';
import type { GitRepository } from '../../flux/api/source.gen.ts';
import { durationOf } from '../../flux/kustomization.ts';
import type { SourceContext } from './sourceContext.ts';

/** Keys and decoded values of a Secret. */
export type SecretData = ReadonlyMap<string, string>;

/** Reads a Secret of the namespace. Throws AuthenticationFailed when it cannot be read. */
export async function readSecret(ctx: SourceContext, namespace: string, name: string): Promise<SecretData> {
  const ref = { group: '', version: 'v1', kind: 'Secret', namespace, name };
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'refused') {
    throw plumbError('AuthenticationFailed', {
      message: `failed to get secret '${namespace}/${name}': ${answer.refusal.message}`,
      hint: 'create the Secret, or correct the name in spec',
    });
  }
  const data = answer.value['data'];
  return new Map(
    Object.entries(isJsonObject(data) ? data : {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), 'base64').toString(),
    ]),
  );
}

/** Where the repository lies and who asks, from the object and its Secrets (contract 2.4). */
export async function gitRemoteOf(ctx: SourceContext, object: GitRepository): Promise<GitRemote> {
  const { spec } = object;
  const namespace = object.metadata.namespace ?? '';
  const secret =
    spec.secretRef === undefined ? undefined : await readSecret(ctx, namespace, spec.secretRef.name);
  const proxy =
    spec.proxySecretRef === undefined
      ? undefined
      : await readSecret(ctx, namespace, spec.proxySecretRef.name);
  const auth = authOf(spec.url, secret);
  const caBundle = secret?.get('ca.crt') ?? secret?.get('caFile');
  const certificate = secret?.get('tls.crt');
  const key = secret?.get('tls.key');
  return {
    url: spec.url,
    timeoutMs: durationOf(object, 'spec.timeout', spec.timeout ?? '60s'),
    ...(auth !== undefined && { auth }),
    ...(caBundle !== undefined && { caBundle }),
    ...(certificate !== undefined &&
      key !== undefined && { clientCertificate: { certificate, key: new Secret(key) } }),
    ...(proxy !== undefined && { proxyUrl: proxyUrlOf(proxy) }),
  };
}

function authOf(url: string, secret: SecretData | undefined): GitAuth | undefined {
  if (url.startsWith('ssh://')) return sshAuth(secret);
  const token = secret?.get('bearerToken');
  const username = secret?.get('username');
  const password = secret?.get('password');
  if (token !== undefined && (username !== undefined || password !== undefined))
    throw invalid('bearerToken cannot be combined with username and password');
  if (token !== undefined) return { type: 'bearer', token: new Secret(token.trim()) };
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || username === '') throw invalid('password needs username');
  if (password === undefined) throw invalid('username needs password');
  return { type: 'basic', username, password: new Secret(password) };
}

function sshAuth(secret: SecretData | undefined): GitAuth {
  const identity = secret?.get('identity');
  const knownHosts = secret?.get('known_hosts');
  const passphrase = secret?.get('password');
  if (identity === undefined || knownHosts === undefined)
    throw invalid('an SSH URL needs a secret with the keys identity and known_hosts');
  return {
    type: 'ssh',
    identity: new Secret(identity),
    knownHosts,
    ...(passphrase !== undefined && passphrase !== '' && { passphrase: new Secret(passphrase) }),
  };
}

function proxyUrlOf(secret: SecretData): Secret<string> {
  const url = URL.parse(secret.get('address') ?? '');
  if (url === null) throw invalid('the proxy secret needs the key address with a URL');
  url.username = encodeURIComponent(secret.get('username') ?? '');
  url.password = encodeURIComponent(secret.get('password') ?? '');
  return new Secret(url.toString());
}

function invalid(message: string): Error {
  return plumbError('AuthenticationFailed', {
    message: `failed to configure authentication options: ${message}`,
    hint: 'correct the data of the Secret that spec.secretRef or spec.proxySecretRef names',
  });
}
