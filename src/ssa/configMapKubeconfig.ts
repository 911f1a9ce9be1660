import { isJsonObject, stringifyJson } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import type { RunContext } from './runContext.ts';

interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** Whose token opens the cluster of a ConfigMap. */
export interface TokenIdentity {
  /** The controller's own service account: where nothing else is named. */
  readonly controller: Name;
  /** Of the object's namespace, where the ConfigMap names none (--default-kubeconfig-service-account). */
  readonly defaultAccount?: string;
  /** Whether anything but the controller's own may be used (ObjectLevelWorkloadIdentity). */
  readonly mayNameAccount: boolean;
}

const clouds = ['aws', 'azure', 'gcp'];

/**
 * A kubeconfig for the cluster that the ConfigMap describes, with a token that this cluster issues: the provider `generic` of
 * contract 0.9, as fluxcd/pkg/auth has it. Throws KubeconfigInvalid, with the ConfigMap, for the clouds' providers too.
 */
export async function kubeconfigOfConfigMap(
  ctx: RunContext,
  { namespace, name }: Name,
  identity: TokenIdentity,
): Promise<Secret<string>> {
  const subject = `ConfigMap/${namespace}/${name}`;
  const invalid = (message: string, hint: string) =>
    plumbError('KubeconfigInvalid', { subject, message, hint });
  const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name };
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'refused')
    throw invalid(
      `the description of the cluster cannot be read: ${answer.refusal.message}`,
      'create the ConfigMap that spec.kubeConfig.configMapRef names',
    );
  const data = isJsonObject(answer.value['data']) ? answer.value['data'] : {};
  const text = (key: string): string => (typeof data[key] === 'string' ? data[key].trim() : '');
  const provider = text('provider');
  if (clouds.includes(provider))
    throw invalid(
      `provider ${provider} needs a cloud identity, which Plumb does not use for clusters yet`,
      'name a Secret with a kubeconfig in spec.kubeConfig.secretRef',
    );
  if (provider !== 'generic')
    throw invalid(
      provider === '' ? 'it has no key provider' : `${provider} is no provider`,
      'set provider to generic, aws, azure or gcp',
    );
  const server = serverOf(text('address'));
  if (server === undefined)
    throw invalid(
      text('address') === '' ? 'it has no key address' : `the address ${text('address')} is no https address`,
      'set address to that of the API server, https://…',
    );
  const account = accountOf(namespace, text('serviceAccountName'), identity);
  if (account !== identity.controller && !identity.mayNameAccount)
    throw invalid(
      `a token of service account ${account.namespace}/${account.name} needs the feature gate ObjectLevelWorkloadIdentity, which is off`,
      'switch it on in the controller, or take serviceAccountName away',
    );
  const audiences = text('audiences')
    .split('\n')
    .flatMap((line) => line.trim() || []);
  const token = await ctx.cluster.serviceAccountToken(
    account,
    audiences.length === 0 ? [text('address')] : audiences,
    ctx.signal,
  );
  if (token.type === 'refused')
    throw invalid(
      `no token of service account ${account.namespace}/${account.name} can be had: ${token.refusal.message}`,
      'the right to create serviceaccounts/token there is needed, and the account itself',
    );
  return kubeconfigText(server, text('ca.crt'), token.value);
}

function accountOf(namespace: string, named: string, identity: TokenIdentity): Name {
  const name = named === '' ? (identity.defaultAccount ?? '') : named;
  return name === '' ? identity.controller : { namespace, name };
}

/** Host and port alone count; without a scheme it is https. */
function serverOf(address: string): string | undefined {
  const url = URL.parse(address.startsWith('http') ? address : `https://${address}`);
  return address === '' || url?.protocol !== 'https:' ? undefined : `https://${url.host}`;
}

function kubeconfigText(server: string, ca: string, token: Secret<string>): Secret<string> {
  const authority = ca === '' ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return new Secret(
    stringifyJson({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'remote',
      contexts: [{ name: 'remote', context: { cluster: 'remote', user: 'remote' } }],
      clusters: [{ name: 'remote', cluster: { server, ...authority } }],
      users: [{ name: 'remote', user: { token: token.reveal() } }],
    }),
  );
}
