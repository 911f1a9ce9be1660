import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A proxy on loopback that lets everything through. */
export interface Proxy {
  readonly port: number;
  /** How many connections it has opened for its clients. */
  tunnels(): number;
  /** What they asked for, as `host:port`. */
  readonly targets: readonly string[];
  close(): void;
}

export interface ProxyOptions {
  /** It speaks TLS with this certificate. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** `user:password` that it wants. */
  readonly login?: string;
  /** It refuses every target with this status. */
  readonly refuses?: number;
  /** Names that only it can resolve: to loopback. */
  readonly names?: readonly string[];
}

/** An HTTP proxy that knows CONNECT alone. */
export function startConnectProxy({ tls, login, refuses, names }: ProxyOptions = {}): Promise<Proxy> {
  const server =
    tls === undefined ? createHttpServer() : createHttpsServer({ cert: tls.certificate, key: tls.key });
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  server.on('request', (_, response) => response.writeHead(405).end());
  return listening(server, (opened) => {
    server.on('connect', (request, client: Socket) => {
      const hasLogin = wanted === undefined || request.headers['proxy-authorization'] === wanted;
      const refusal = hasLogin ? refuses && `${refuses} Refused` : '407 Proxy Authentication Required';
      if (refusal !== undefined) {
        client.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
        return;
      }
      const [host = '', port] = (request.url ?? '').split(':');
      opened(request.url ?? '');
      tunnel(client, resolved(host, names), Number(port), 'HTTP/1.1 200 Connection Established\r\n\r\n');
    });
  });
}

/** A SOCKS proxy of version 5 (RFC 1928), with a login by password or none, for CONNECT to IPv4 addresses and names. */
export function startSocksProxy({ login, refuses, names }: ProxyOptions = {}): Promise<Proxy> {
  const server = createServer();
  return listening(server, (opened) => {
    const serve = (client: Socket): void =>
      void client.once('data', (request) => {
        if (refuses !== undefined) {
          client.end(Buffer.from([5, refuses, 0, 1, 0, 0, 0, 0, 0, 0]));
          return;
        }
        const isName = request[3] === 3;
        const end = isName ? 5 + (request[4] ?? 0) : 8;
        const host = isName ? request.toString('latin1', 5, end) : request.subarray(4, end).join('.');
        const port = request.readUInt16BE(end);
        opened(`${host}:${port}`);
        tunnel(client, resolved(host, names), port, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      });
    const logIn = (client: Socket): void =>
      void client.once('data', (given) => {
        const split = 2 + (given[1] ?? 0);
        const [user, password] = [given.toString('latin1', 2, split), given.toString('latin1', split + 1)];
        const isRight = `${user}:${password}` === login;
        if (isRight) serve(client);
        client.write(Buffer.from([1, isRight ? 0 : 1]));
        if (!isRight) client.end();
      });
    server.on('connection', (client) => {
      client.on('error', () => client.destroy());
      client.once('data', (greeting) => {
        const method = login === undefined ? 0 : greeting.includes(2, 2) ? 2 : 0xff;
        if (method === 0) serve(client);
        if (method === 2) logIn(client);
        client.write(Buffer.from([5, method]));
        if (method === 0xff) client.end();
      });
    });
  });
}

function resolved(host: string, names: readonly string[] = []): string {
  return names.includes(host) ? '127.0.0.1' : host;
}

function tunnel(client: Socket, host: string, port: number, established: string | Buffer): void {
  const upstream = connect(port, host, () => {
    client.write(established);
    upstream.pipe(client);
    client.pipe(upstream);
  });
  upstream.on('error', () => client.destroy());
  client.on('error', () => upstream.destroy());
  client.on('close', () => upstream.destroy());
}

async function listening(server: Server, serve: (opened: (target: string) => void) => void): Promise<Proxy> {
  const clients = new Set<Socket>();
  const targets: string[] = [];
  server.on('connection', (client: Socket) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  serve((target) => targets.push(target));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    tunnels: () => targets.length,
    targets,
    close() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
