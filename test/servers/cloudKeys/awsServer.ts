import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  seal,
  startCloudServer,
  unseal,
  type CloudAnswer,
  type CloudRequest,
  type CloudServer,
} from './cloudServer.ts';

/** AWS KMS and STS. It checks the signature of every request, as AWS does and emulators do not. */
export interface AwsServer extends CloudServer {
  /** The secret access key of each login. A role that is assumed gets one of its own. */
  readonly secrets: Map<string, string>;
}

/** `keys` are the ARNs of the keys that there are; `role` one that may be assumed, which alone may use the last key. */
export async function startAwsServer(keys: readonly string[], role?: string): Promise<AwsServer> {
  const material = new Map(keys.map((arn) => [arn, randomBytes(32)]));
  const secrets = new Map<string, string>();
  const server = await startCloudServer((request) => {
    const accessKeyId = signedBy(request, secrets);
    if (accessKeyId === undefined)
      return refused(403, 'InvalidSignatureException', 'The signature does not match what was calculated.');
    const form = new URLSearchParams(request.body.toString());
    if (form.get('Action') === 'AssumeRole')
      return form.get('RoleArn') === role ? assumed(form, secrets) : notAssumed();
    const [, operation] = String(request.message.headers['x-amz-target']).split('.');
    const asked = JSON.parse(request.body.toString()) as Record<string, string> & {
      readonly EncryptionContext?: Readonly<Record<string, string>>;
    };
    const arn = asked['KeyId'] ?? '';
    const key = material.get(arn);
    if (key === undefined) return refused(400, 'NotFoundException', `Key ${arn} does not exist`);
    if (role !== undefined && arn === keys.at(-1) && accessKeyId !== assumedId)
      return refused(400, 'AccessDeniedException', `User ${accessKeyId} may not use ${arn}`);
    const context = JSON.stringify(Object.entries(asked.EncryptionContext ?? {}).sort());
    if (operation === 'Encrypt') {
      const sealed = seal(key, Buffer.from(asked['Plaintext'] ?? '', 'base64'), context);
      return answered({ KeyId: arn, CiphertextBlob: sealed.toString('base64') });
    }
    const plain = unseal(key, Buffer.from(asked['CiphertextBlob'] ?? '', 'base64'), context);
    if (plain === undefined) return refused(400, 'InvalidCiphertextException', '');
    return answered({ KeyId: arn, Plaintext: plain.toString('base64') });
  });
  return { ...server, secrets };
}

const assumedId = 'ASIAASSUMED';

function assumed(form: URLSearchParams, secrets: Map<string, string>): CloudAnswer {
  const secret = randomBytes(20).toString('hex');
  secrets.set(assumedId, secret);
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>${form.get('RoleSessionName')}</Arn><AssumedRoleId>R</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>${assumedId}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>session-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  };
}

/** STS speaks XML. */
function notAssumed(): CloudAnswer {
  const error = '<Type>Sender</Type><Code>AccessDenied</Code><Message>It may not assume that role</Message>';
  return {
    status: 403,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>${error}</Error></ErrorResponse>`,
  };
}

/** Whose signature (version 4) the request bears; undefined when it is wrong. */
function signedBy(
  { message, path, body }: CloudRequest,
  secrets: ReadonlyMap<string, string>,
): string | undefined {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      message.headers.authorization ?? '',
    );
  const [, id = '', date = '', region = '', service = '', names = '', signature = ''] = given ?? [];
  const secret = secrets.get(id);
  if (secret === undefined) return undefined;
  const headers = names.split(';').map((name) => `${name}:${String(message.headers[name]).trim()}\n`);
  const canonical = [
    message.method,
    path.split('?')[0],
    path.split('?')[1] ?? '',
    headers.join(''),
    names,
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  const digest = createHash('sha256').update(canonical).digest('hex');
  const text = `AWS4-HMAC-SHA256\n${String(message.headers['x-amz-date'])}\n${scope}\n${digest}`;
  const expected = hmac(key, text);
  const actual = Buffer.from(signature, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected) ? id : undefined;
}

function answered(body: object): CloudAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  };
}

function refused(status: number, type: string, message: string): CloudAnswer {
  return { ...answered({ __type: type, message }), status };
}
