import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  derBits,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derTagged,
  derTime,
  derTrue,
  derUtf8,
} from './der.ts';

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority: signs what `issueServerCertificate` and `issueClientCertificate` make. */
export interface Authority extends CertifiedKey {
  readonly name: string;
}

const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const hourMs = 3_600_000;
const validityMs = 365 * 24 * hourMs;

/** A new authority of its own, valid for a year. */
export function createAuthority(name: string): Authority {
  const key = newKey();
  return {
    name,
    ...certify({ name, key }, { name, key, organizations: [], extensions: authorityExtensions() }),
  };
}

/** A certificate for a TLS server under these names and IPv4 addresses; it may act as a client too, as etcd's peers do. */
export function issueServerCertificate(
  authority: Authority,
  name: string,
  hosts: readonly string[],
): CertifiedKey {
  const extensions = [
    ...leafExtensions([oids.serverAuth, oids.clientAuth]),
    extension(oids.subjectAltName, derSequence(...hosts.map(generalName))),
  ];
  return issue(authority, name, [], extensions);
}

/** A client certificate: Kubernetes takes the common name as the user and the organizations as its groups. */
export function issueClientCertificate(
  authority: Authority,
  userName: string,
  groups: readonly string[],
): CertifiedKey {
  return issue(authority, userName, groups, leafExtensions([oids.clientAuth]));
}

/** A PEM key pair for signing tokens (ServiceAccount keys). */
export function createSigningKeys(): { readonly publicKey: string; readonly privateKey: string } {
  const privateKey = newKey();
  return {
    privateKey: privateKeyPem(privateKey),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  };
}

interface Subject {
  readonly name: string;
  readonly organizations: readonly string[];
  readonly key: KeyObject;
  readonly extensions: readonly Buffer[];
}

function issue(
  authority: Authority,
  name: string,
  organizations: readonly string[],
  extensions: readonly Buffer[],
): CertifiedKey {
  const signer = { name: authority.name, key: authority.key };
  return certify(signer, { name, organizations, key: newKey(), extensions });
}

function certify(
  signer: { readonly name: string; readonly key: KeyObject | string },
  subject: Subject,
): CertifiedKey {
  const now = Date.now();
  const algorithm = derSequence(derOid(oids.ecdsaWithSha256));
  const body = derSequence(
    derTagged(0xa0, derInteger(Buffer.from([2]))),
    derInteger(randomBytes(16)),
    algorithm,
    distinguishedName(signer.name, []),
    derSequence(derTime(new Date(now - hourMs)), derTime(new Date(now + validityMs))),
    distinguishedName(subject.name, subject.organizations),
    publicKeyInfo(subject.key),
    derTagged(
      0xa3,
      derSequence(
        ...subject.extensions,
        extension(oids.subjectKeyIdentifier, derOctets(keyIdentifier(subject.key))),
        extension(oids.authorityKeyIdentifier, derSequence(derTagged(0x80, keyIdentifier(signer.key)))),
      ),
    ),
  );
  const certificate = derSequence(body, algorithm, derBits(sign('sha256', body, signer.key)));
  return { certificate: pem('CERTIFICATE', certificate), key: privateKeyPem(subject.key) };
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

function authorityExtensions(): Buffer[] {
  // keyCertSign and cRLSign
  return [extension(oids.basicConstraints, derSequence(derTrue()), true), keyUsage(0x06, 1)];
}

function leafExtensions(usages: readonly string[]): Buffer[] {
  // digitalSignature
  return [keyUsage(0x80, 7), extension(oids.extendedKeyUsage, derSequence(...usages.map(derOid)))];
}

function keyUsage(bits: number, unusedBits: number): Buffer {
  return extension(oids.keyUsage, derBits(Buffer.from([bits]), unusedBits), true);
}

function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  return derSequence(derOid(oid), ...(isCritical ? [derTrue()] : []), derOctets(value));
}

function generalName(host: string): Buffer {
  return isIPv4(host)
    ? derTagged(0x87, Buffer.from(host.split('.').map(Number)))
    : derTagged(0x82, Buffer.from(host, 'latin1'));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (oid: string, value: string): Buffer => derSet(derSequence(derOid(oid), derUtf8(value)));
  return derSequence(
    ...organizations.map((organization) => attribute(oids.organization, organization)),
    attribute(oids.commonName, commonName),
  );
}

function publicKeyInfo(key: KeyObject | string): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function keyIdentifier(key: KeyObject | string): Buffer {
  return createHash('sha1').update(publicKeyInfo(key)).digest();
}

function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
