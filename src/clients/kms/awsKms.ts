import { hostname } from 'node:os';
import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import { shortWords } from './keyService.ts';

/** Who asks AWS KMS: with keys that were given, or as the user's environment, profiles and SSO sessions say. */
export type AwsLogin =
  | {
      readonly kind: 'keys';
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret<string>;
      readonly sessionToken?: Secret<string>;
    }
  | { readonly kind: 'own' };

/** A key of AWS KMS, as a file names it. */
export interface AwsKey {
  readonly arn: string;
  /** A role to assume first. */
  readonly role?: string;
  /** The profile of the user's own login. */
  readonly profile?: string;
  /** The encryption context: what is wrapped with one is unwrapped with the same one only. */
  readonly context: Readonly<Record<string, string>>;
}

/** What a key of AWS KMS has wrapped. Throws DecryptionFailed. */
export async function unwrapWithAws(
  key: AwsKey,
  enc: string,
  login: AwsLogin,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const command = new DecryptCommand({
    KeyId: key.arn,
    CiphertextBlob: Buffer.from(enc, 'base64'),
    EncryptionContext: { ...key.context },
  });
  const { Plaintext } = await asking(key, login, 'decrypt', signal, (client, abortSignal) =>
    client.send(command, { abortSignal }),
  );
  return Plaintext ?? new Uint8Array();
}

/** The bytes, wrapped by a key of AWS KMS. Throws DecryptionFailed. */
export async function wrapWithAws(
  key: AwsKey,
  bytes: Uint8Array,
  login: AwsLogin,
  signal: AbortSignal,
): Promise<string> {
  const command = new EncryptCommand({
    KeyId: key.arn,
    Plaintext: bytes,
    EncryptionContext: { ...key.context },
  });
  const { CiphertextBlob } = await asking(key, login, 'encrypt', signal, (client, abortSignal) =>
    client.send(command, { abortSignal }),
  );
  return Buffer.from(CiphertextBlob ?? []).toString('base64');
}

const timeoutMs = 30_000;

async function asking<T>(
  key: AwsKey,
  login: AwsLogin,
  operation: 'encrypt' | 'decrypt',
  signal: AbortSignal,
  ask: (client: KMSClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = clientFor(key, login);
  try {
    return await ask(client, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(error, operation);
  } finally {
    client.destroy();
  }
}

/** The region is that of the key. It becomes part of a host's name, so nothing else may stand there. */
const arnPattern = /^arn:aws[\w-]*:kms:([a-z0-9-]+):\d+:(?:key|alias)\/.+$/;

function clientFor({ arn, role, profile }: AwsKey, login: AwsLogin): KMSClient {
  const region = arnPattern.exec(arn)?.[1];
  if (region === undefined)
    throw plumbError('DecryptionFailed', {
      message: 'aws kms: that is no ARN of a key',
      hint: 'write arn:aws:kms:<region>:<account>:key/<id>, or alias/<name> at its end',
    });
  const own = login.kind === 'own' && profile !== undefined ? { profile } : {};
  const credentials =
    login.kind === 'keys'
      ? {
          accessKeyId: login.accessKeyId,
          secretAccessKey: login.secretAccessKey.reveal(),
          ...(login.sessionToken !== undefined && { sessionToken: login.sessionToken.reveal() }),
        }
      : // Read anew each time: the user may log in while this process runs.
        fromNodeProviderChain({ ...own, clientConfig: { region }, ignoreCache: true });
  return new KMSClient({
    region,
    ...own,
    credentials:
      role === undefined
        ? credentials
        : fromTemporaryCredentials({
            masterCredentials: credentials,
            params: { RoleArn: role, RoleSessionName: sessionName() },
            clientConfig: { region },
          }),
  });
}

/** As upstream names its sessions, so that trust policies that ask for it fit. */
function sessionName(): string {
  return `sops@${hostname().replaceAll(/[^a-zA-Z0-9=,.@_-]+/g, '')}`.slice(0, 64);
}

function refusal(error: unknown, operation: 'encrypt' | 'decrypt'): PlumbError {
  const { name, message, $metadata } = error as Error & { readonly $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return plumbError('DecryptionFailed', {
      message: `aws kms: no login: ${shortWords([message])}`,
      hint: 'log in with the aws command (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID',
      cause: error,
    });
  if (status === undefined)
    return plumbError('DecryptionFailed', {
      message: `cannot reach aws kms: ${shortWords([name, message])}`,
      cause: error,
    });
  return plumbError('DecryptionFailed', {
    message: `aws kms refused to ${operation}: HTTP ${status} (${shortWords([name, message])})`,
    hint:
      name === 'InvalidCiphertextException'
        ? 'another key or another encryption context wrapped it'
        : `the login needs kms:${operation === 'encrypt' ? 'Encrypt' : 'Decrypt'} on the key`,
    cause: error,
  });
}
