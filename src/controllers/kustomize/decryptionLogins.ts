import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import type { KeyRing } from '../../clients/kms/keyRing.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { decryptionError } from '../../lib/sops/sopsTree.ts';

/** The logins at services that keep keys. */
export type Logins = Pick<KeyRing, 'vault' | 'aws' | 'gcp' | 'azure'>;

/** What each entry of a Secret of keys that is a login gives (contract 1.4). They throw DecryptionFailed. */
export const loginEntries: Readonly<Record<string, (value: Buffer) => Logins | Promise<Logins>>> = {
  'sops.vault-token': (value) => ({ vault: { token: new Secret(value.toString().trim()) } }),
  'sops.aws-kms': awsEntry,
  'sops.gcp-kms': async (value) => {
    const { gcpEndpoint, gcpLoginOf } = await import('../../clients/kms/gcpLogin.ts');
    return { gcp: gcpLoginOf(value.toString(), gcpEndpoint()) };
  },
  'sops.azure-kv': async (value) => {
    const { azureLoginOf } = await import('../../clients/kms/azureLogin.ts');
    return { azure: azureLoginOf(value) };
  },
};

function awsEntry(value: Buffer): Logins {
  const { value: documents } = parseYaml('sops.aws-kms', value.toString());
  const entry = documents[0]?.value;
  if (!isJsonObject(entry)) throw decryptionError('it is no YAML mapping', awsHint);
  const [accessKeyId, secretAccessKey] = [
    textOf(entry, 'aws_access_key_id'),
    textOf(entry, 'aws_secret_access_key'),
  ];
  if (accessKeyId === '' || secretAccessKey === '')
    throw decryptionError('aws_access_key_id or aws_secret_access_key is missing', awsHint);
  const sessionToken = textOf(entry, 'aws_session_token');
  return {
    aws: {
      kind: 'keys',
      accessKeyId,
      secretAccessKey: new Secret(secretAccessKey),
      ...(sessionToken !== '' && { sessionToken: new Secret(sessionToken) }),
    },
  };
}

const awsHint =
  'it holds aws_access_key_id, aws_secret_access_key and, for passing logins, aws_session_token';

function textOf(entry: JsonObject, name: string): string {
  const value = entry[name];
  return typeof value === 'string' ? value : '';
}
