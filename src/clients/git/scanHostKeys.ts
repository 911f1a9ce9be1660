import { plumbError } from '../../base/plumbError.ts';
import { sshFingerprint } from './sshKey.ts';

/** A key an SSH server showed, not verified by anything: trusted on first use, as ssh-keyscan does. */
export interface HostKey {
  readonly type: string;
  /** `SHA256:…`, for the user to compare. */
  readonly fingerprint: string;
  /** A line for a known_hosts file. */
  readonly line: string;
}

const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'] as const;
const timeoutMs = 30_000;

/**
 * Asks the SSH server for its host keys, one connection per algorithm, and leaves before logging in.
 * Throws GitOperationFailed when it shows none.
 */
export async function scanHostKeys(
  host: string,
  port: number,
  signal?: AbortSignal,
): Promise<readonly HostKey[]> {
  signal?.throwIfAborted();
  const answers = await Promise.all(algorithms.map((algorithm) => scanOne(host, port, algorithm, signal)));
  signal?.throwIfAborted();
  const keys = answers.filter((answer): answer is HostKey => !(answer instanceof Error));
  if (keys.length > 0) return keys;
  const cause = answers.find((answer) => answer instanceof Error);
  throw plumbError('GitOperationFailed', {
    subject: `${host}:${port}`,
    message: `the SSH server showed no host key: ${cause?.message ?? 'no answer'}`,
    hint: 'check host and port of the URL, and that the server can be reached from here',
    cause,
  });
}

/** The name of a host in a known_hosts file. */
export function knownHostsName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

async function scanOne(
  host: string,
  port: number,
  algorithm: (typeof algorithms)[number],
  signal: AbortSignal | undefined,
): Promise<HostKey | Error> {
  // Loaded late: only a bootstrap over SSH needs it.
  // Its default: bundled, a CommonJS package has no named exports behind import().
  const { Client } = (await import('ssh2')).default;
  const client = new Client();
  return new Promise((resolve) => {
    const abort = (): void => finish(new Error('cancelled'));
    const finish = (result: HostKey | Error): void => {
      signal?.removeEventListener('abort', abort);
      client.destroy();
      resolve(result);
    };
    signal?.addEventListener('abort', abort);
    client.on('error', finish);
    client.on('close', () => finish(new Error('the connection was closed')));
    client.connect({
      host,
      port,
      username: 'git',
      readyTimeout: timeoutMs,
      algorithms: { serverHostKey: [algorithm] },
      hostVerifier: (key: Buffer) => {
        finish(hostKey(host, port, key));
        return false;
      },
    });
  });
}

function hostKey(host: string, port: number, blob: Buffer): HostKey {
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString();
  const encoded = blob.toString('base64');
  return {
    type,
    fingerprint: sshFingerprint(encoded),
    line: `${knownHostsName(host, port)} ${type} ${encoded}`,
  };
}
