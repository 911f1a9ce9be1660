import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A proxy on loopback that lets everything through. */
export interface Proxy {
  readonly port: number;
  /** How many connections it has opened for its clients. */
  tunnels(): number;
  close(): void;
}

/** An HTTP proxy that knows CONNECT alone. */
export function startConnectProxy(): Promise<Proxy> {
  const server = createHttpServer((_, response) => response.writeHead(405).end());
  return listening(server, (opened) => {
    server.on('connect', (request, client: Socket) => {
      const [host = '', port] = (request.url ?? '').split(':');
      tunnel(client, host, Number(port), 'HTTP/1.1 200 Connection Established\r\n\r\n');
      opened();
    });
  });
}

/** A SOCKS proxy of version 5 (RFC 1928) without login, for CONNECT to IPv4 addresses and names. */
export function startSocksProxy(): Promise<Proxy> {
  const server = createServer();
  return listening(server, (opened) => {
    server.on('connection', (client) => {
      client.on('error', () => client.destroy());
      client.once('data', () => {
        client.once('data', (request) => {
          const isName = request[3] === 3;
          const end = isName ? 5 + (request[4] ?? 0) : 8;
          const host = isName ? request.toString('latin1', 5, end) : request.subarray(4, end).join('.');
          tunnel(client, host, request.readUInt16BE(end), Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          opened();
        });
        client.write(Buffer.from([5, 0]));
      });
    });
  });
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

async function listening(server: Server, serve: (opened: () => void) => void): Promise<Proxy> {
  const clients = new Set<Socket>();
  let count = 0;
  server.on('connection', (client: Socket) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  serve(() => count++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    tunnels: () => count,
    close() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
