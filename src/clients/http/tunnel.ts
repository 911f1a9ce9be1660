import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { openSocksTunnel } from './socksTunnel.ts';
import { tunnelFailure } from './tunnelFailure.ts';

/** What is needed to trust a proxy that speaks TLS. */
export type ProxyTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;

export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * A connection to the target through an http, https or socks5 proxy, which resolves its name. A login stands in the proxy's
 * URL. Rejects with a `TunnelFailure`, or the reason of the signal.
 */
export function openTunnel(
  proxy: URL,
  target: TunnelTarget,
  tls: ProxyTls,
  signal: AbortSignal,
): Promise<Socket> {
  if (!proxy.protocol.startsWith('socks')) return openConnectTunnel(proxy, target, tls, signal);
  const socksProxy = {
    host: hostOf(proxy),
    port: proxy.port === '' ? 1080 : Number(proxy.port),
    user: decodeURIComponent(proxy.username),
    password: decodeURIComponent(proxy.password),
  };
  return openSocksTunnel(socksProxy, target, signal);
}

function openConnectTunnel(
  proxy: URL,
  { host, port }: TunnelTarget,
  tls: ProxyTls,
  signal: AbortSignal,
): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const options = {
    method: 'CONNECT',
    host: hostOf(proxy),
    port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : Number(proxy.port),
    path: authority,
    agent: false as const,
    headers: {
      host: authority,
      ...(login !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
    },
  };
  // The proxy's own name: Node would take the one in the Host header, which is the target's.
  const servername = isIP(options.host) === 0 ? options.host : '';
  return new Promise<Socket>((resolve, reject) => {
    const request =
      proxy.protocol === 'https:' ? requestTls({ ...options, ...tls, servername }) : requestPlain(options);
    const abort = (): void => void request.destroy(signal.reason as Error);
    const settled = (): void => signal.removeEventListener('abort', abort);
    request.on('error', (error) => {
      settled();
      reject(signal.aborted ? error : tunnelFailure('unreachable', error));
    });
    request.once('connect', ({ statusCode = 0, statusMessage = '' }, socket: Socket, head: Buffer) => {
      settled();
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.destroy();
      const answer = `the proxy answered ${`${statusCode} ${statusMessage ?? ''}`.trim()}`;
      reject(tunnelFailure(statusCode === 407 ? 'login' : 'refused', new Error(answer)));
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    request.end();
  });
}

function hostOf(proxy: URL): string {
  return proxy.hostname.replace(/^\[|\]$/g, '');
}
