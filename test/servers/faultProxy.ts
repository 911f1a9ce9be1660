import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { credentialsOf } from '../../src/clients/cluster/credentials.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';

/** What goes wrong with one request. */
export type Fault =
  /** The server is not asked; this is the answer. */
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks before the server is asked. */
  | { readonly type: 'reset' }
  /** The server is asked, and the connection breaks before its answer: a write has happened. */
  | { readonly type: 'loseAnswer' }
  /** The first half of the answer, then the connection breaks. */
  | { readonly type: 'truncate' }
  /** The server is asked after a while. */
  | { readonly type: 'delay'; readonly ms: number }
  /** The server is asked when the promise is fulfilled. */
  | { readonly type: 'hold'; readonly until: Promise<unknown> }
  /** The server is asked for another path. */
  | { readonly type: 'redirect'; readonly path: string };

/** What a fault is decided by. */
export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** A proxy in front of a real API server, like `kubectl proxy`: plain HTTP on loopback, the administrator's rights behind it. */
export interface FaultProxy {
  readonly url: string;
  /** A kubeconfig that leads through the proxy. */
  readonly kubeconfigText: string;
  /** Most connections open at once so far, and all there ever were. */
  connections(): { readonly most: number; readonly total: number };
  /** Breaks every stream that is open now. */
  dropStreams(): void;
  /** Refuses connections until `listenAgain`. */
  stopListening(): Promise<void>;
  listenAgain(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it in front of the kubeconfig's current context. `decide` is asked for every request. */
export async function startFaultProxy(
  kubeconfig: string,
  decide: (request: ProxiedRequest) => Fault | undefined,
): Promise<FaultProxy> {
  const connection = await loadConnection({ paths: [kubeconfig] });
  const { tls } = await credentialsOf(connection, silentLogger).current();
  const target = new URL(connection.cluster.server);
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  let most = 0;
  let total = 0;

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void => {
    const { id: _, ...material } = tls;
    const request = httpsRequest(
      {
        host: target.hostname,
        port: target.port,
        path: fault?.type === 'redirect' ? fault.path : incoming.url,
        method: incoming.method,
        headers: { ...incoming.headers, host: target.host, connection: 'close' },
        agent: false,
        ...material,
      },
      (response) => {
        if (fault?.type === 'loseAnswer') {
          response.resume().on('end', () => incoming.socket.destroy());
          return;
        }
        if (fault?.type === 'truncate') {
          sendHalf(response, outgoing, incoming.socket);
          return;
        }
        const { connection: _connection, ...headers } = response.headers;
        outgoing.writeHead(response.statusCode ?? 502, headers);
        outgoing.flushHeaders();
        if ((incoming.url ?? '').includes('watch=true')) {
          streams.add(incoming.socket);
          incoming.socket.once('close', () => streams.delete(incoming.socket));
        }
        response.pipe(outgoing);
        response.on('error', () => incoming.socket.destroy());
      },
    );
    outgoing.on('close', () => request.destroy());
    request.on('error', () => incoming.socket.destroy());
    incoming.pipe(request);
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const fault = decide({
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
    });
    switch (fault?.type) {
      case 'answer':
        incoming.resume();
        outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
        outgoing.end(fault.body ?? '');
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'delay':
        // Nobody waits for it when the tests are over.
        setTimeout(() => forward(incoming, outgoing, undefined), fault.ms).unref();
        return;
      case 'hold':
        void fault.until.then(() => forward(incoming, outgoing, undefined));
        return;
      default:
        forward(incoming, outgoing, fault);
    }
  });
  server.on('connection', (socket) => {
    total++;
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });

  let port = 0;
  const listen = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  await listen();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    kubeconfigText: JSON.stringify({
      'current-context': 'proxied',
      contexts: [{ name: 'proxied', context: { cluster: 'proxied', user: 'proxied' } }],
      clusters: [{ name: 'proxied', cluster: { server: url } }],
      users: [{ name: 'proxied', user: {} }],
    }),
    connections: () => ({ most, total }),
    dropStreams: () => {
      for (const socket of streams) socket.destroy();
    },
    stopListening: stop,
    listenAgain: listen,
    close: stop,
  };
}

function sendHalf(response: IncomingMessage, outgoing: ServerResponse, socket: Socket): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => {
    const body = Buffer.concat(chunks);
    outgoing.writeHead(response.statusCode ?? 200, {
      'content-type': response.headers['content-type'] ?? 'application/json',
      'content-length': String(body.length),
    });
    outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => socket.destroy());
  });
}
