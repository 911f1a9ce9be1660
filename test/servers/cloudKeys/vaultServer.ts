import { randomBytes } from 'node:crypto';
import { seal, startCloudServer, unseal, type CloudAnswer, type CloudServer } from './cloudServer.ts';

/** The transit engine of Vault and OpenBao, mounted at `sops`, with one key. */
export interface VaultServer extends CloudServer {
  /** The token that may use the key. */
  readonly token: string;
}

export async function startVaultServer(keyName: string): Promise<VaultServer> {
  const [key, token] = [randomBytes(32), `hvs.${randomBytes(12).toString('hex')}`];
  const server = await startCloudServer(({ message, path, body }) => {
    if (message.headers['x-vault-token'] !== token) return answered(403, { errors: ['permission denied'] });
    const isWrite = message.method === 'PUT' || message.method === 'POST';
    const [, operation, name] = /^\/v1\/sops\/(encrypt|decrypt)\/([^/]+)$/.exec(path) ?? [];
    if (!isWrite || operation === undefined) return answered(404, { errors: [] });
    if (name !== keyName) return answered(400, { errors: ['encryption key not found'] });
    const asked = JSON.parse(body.toString()) as Record<string, string>;
    if (operation === 'encrypt') {
      const sealed = seal(key, Buffer.from(asked['plaintext'] ?? '', 'base64'), '');
      return answered(200, { data: { ciphertext: `vault:v1:${sealed.toString('base64')}`, key_version: 1 } });
    }
    const [, sealed = ''] = /^vault:v1:(.+)$/.exec(asked['ciphertext'] ?? '') ?? [];
    const plain = unseal(key, Buffer.from(sealed, 'base64'), '');
    return plain === undefined
      ? answered(400, { errors: ['invalid ciphertext: unable to decrypt'] })
      : answered(200, { data: { plaintext: plain.toString('base64') } });
  });
  return { ...server, token };
}

function answered(status: number, body: object): CloudAnswer {
  return { status, body: JSON.stringify(body) };
}
