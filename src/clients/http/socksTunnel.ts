import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { tunnelFailure } from './tunnelFailure.ts';

export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  /** Both empty where the proxy wants none. */
  readonly user: string;
  readonly password: string;
}

/** Longer than anybody waits: the signal ends the wait. */
const handshakeMs = 600_000;

/**
 * A connection through a SOCKS proxy of version 5, which resolves the target's name itself. Rejects with a `TunnelFailure`, or the
 * reason of the signal.
 */
export async function openSocksTunnel(
  proxy: SocksProxy,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const { host, port, user, password } = proxy;
  const socket = connect({ host, port });
  // What breaks is told by whoever waits for the socket.
  socket.on('error', () => undefined);
  const abort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await once(socket, 'connect').catch((error: unknown) => {
      throw tunnelFailure('unreachable', error as Error);
    });
    await SocksClient.createConnection({
      command: 'connect',
      proxy: { host, port, type: 5, ...(user + password !== '' && { userId: user, password }) },
      destination: target,
      existing_socket: socket,
      timeout: handshakeMs,
    }).catch((error: unknown) => {
      throw refused(error as Error);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The library's error holds the login: its words alone go on. */
function refused({ message }: Error): Error {
  const isLogin = /auth/i.test(message);
  const why = isLogin ? 'the proxy refused the login, or wants another' : `the proxy refused: ${message}`;
  return tunnelFailure(isLogin ? 'login' : 'refused', new Error(why));
}
