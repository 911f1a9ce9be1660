import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A server on loopback that acts as a cloud's key service does by its public documentation. */
export interface CloudServer {
  readonly url: string;
  /** `METHOD /path` of every request, oldest first. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export interface CloudRequest {
  readonly message: IncomingMessage;
  readonly path: string;
  readonly body: Buffer;
}

export interface CloudAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers as `answer` says; over TLS where a certificate is given. */
export async function startCloudServer(
  answer: (request: CloudRequest, url: string) => CloudAnswer,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<CloudServer> {
  const asked: string[] = [];
  const listener: RequestListener = (message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const path = message.url ?? '';
      asked.push(`${message.method} ${path}`);
      const { status, headers, body } = answer({ message, path, body: Buffer.concat(chunks) }, url);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    });
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http${tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** AES-256-GCM, bound to a context. */
export function seal(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined where the key or the context is another. */
export function unseal(key: Buffer, sealed: Buffer, context: string): Buffer | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(
      Buffer.from(context),
    );
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
