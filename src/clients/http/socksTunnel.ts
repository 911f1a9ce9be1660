import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { tunnelFailure } from './tunnelFailure.ts';

export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  /** Both empty where the proxy wants none. */
  readonly user: string;
  readonly password: string;
}

const version = 5;
const noLogin = 0;
const passwordLogin = 2;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;

/** What the proxy's answers mean, by their number (RFC 1928, section 6). */
const refusals: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/** A connection through a SOCKS proxy of version 5 (RFC 1928, RFC 1929), which resolves the target's name itself. */
export async function openSocksTunnel(
  proxy: SocksProxy,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port });
  const abort = (): void => void socket.destroy(signal.reason as Error);
  // What breaks while nobody reads is told by the next read.
  socket.on('error', () => undefined);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await once(socket, 'connect').catch((error: unknown) => {
      throw tunnelFailure('unreachable', error as Error);
    });
    const next = byteReader(socket);
    await logIn(socket, proxy, next);
    socket.write(Buffer.concat([Buffer.from([version, 1, 0]), addressOf(target)]));
    const [, code = 1, , type] = await next(4);
    if (code !== 0) throw refused(refusals[code] ?? `answer ${code}`);
    // The address it connects from: nobody needs it.
    const [length = 0] = type === addressTypes.name ? await next(1) : [type === addressTypes.ipv6 ? 16 : 4];
    await next(length + 2);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function logIn(socket: Socket, { user, password }: SocksProxy, next: NextBytes): Promise<void> {
  const offered = user === '' && password === '' ? [noLogin] : [noLogin, passwordLogin];
  socket.write(Buffer.from([version, offered.length, ...offered]));
  const [answered, method] = await next(2);
  if (answered !== version) throw refused('it does not speak SOCKS 5');
  if (method === noLogin) return;
  const wanted = new Error('the proxy wants another login than it was given');
  if (method !== passwordLogin || offered.length === 1) throw tunnelFailure('login', wanted);
  socket.write(Buffer.concat([Buffer.from([1]), counted(user), counted(password)]));
  const [, status] = await next(2);
  if (status !== 0) throw tunnelFailure('login', new Error('the proxy refused the login'));
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): Buffer {
  const end = Buffer.alloc(2);
  end.writeUInt16BE(port);
  if (isIP(host) === 4)
    return Buffer.concat([Buffer.from([addressTypes.ipv4, ...host.split('.').map(Number)]), end]);
  if (isIP(host) === 6) return Buffer.concat([Buffer.from([addressTypes.ipv6]), bytesOfIPv6(host), end]);
  return Buffer.concat([Buffer.from([addressTypes.name]), counted(host), end]);
}

function bytesOfIPv6(host: string): Buffer {
  const [head = [], tail = []] = host
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const groups = host.includes('::')
    ? [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail]
    : head;
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw refused('names and passwords have 255 bytes at most');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function refused(why: string): Error {
  return tunnelFailure('refused', new Error(`the proxy refused: ${why}`));
}

type NextBytes = (count: number) => Promise<Buffer>;

/** Reads exactly as many bytes as are asked for; what comes behind stays for the next reader. */
function byteReader(socket: Socket): NextBytes {
  return async (count) => {
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes?.length === count) return bytes;
      if (bytes !== null || socket.readableEnded || socket.destroyed)
        throw socket.errored ?? refused('it closed the connection');
      const waiting = new AbortController();
      try {
        const { signal } = waiting;
        await Promise.race([once(socket, 'readable', { signal }), once(socket, 'close', { signal })]);
      } finally {
        waiting.abort();
      }
    }
  };
}
