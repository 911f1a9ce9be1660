import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGit } from './gitRepository.ts';

/** What a request must bring; without it everybody may read and write. */
export type GitCredentials =
  { readonly username: string; readonly password: string } | { readonly bearerToken: string };

export interface GitHttpServer {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string;
  /** The folder that holds the bare repositories. */
  readonly folder: string;
  /** Requests served so far, as `GET /fleet.git/info/refs?service=git-upload-pack 200`. */
  readonly requests: readonly string[];
  /** Requests that are being served. */
  pending(): number;
  /** Makes an empty bare repository `<name>.git`; gives its folder and URL. */
  createRepository(name: string): Promise<{ readonly folder: string; readonly url: string }>;
  close(): Promise<void>;
}

export interface GitHttpServerOptions {
  readonly credentials?: GitCredentials;
  /** Where the repositories lie and stay; a temporary folder that close() removes when absent. */
  readonly folder?: string;
  /** A free port when absent. */
  readonly port?: number;
}

/** Real bare repositories over smart HTTP on loopback: git's own http-backend behind a node:http server. */
export async function startGitHttpServer(options: GitHttpServerOptions = {}): Promise<GitHttpServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'plumb-git-')));
  await mkdir(folder, { recursive: true });
  const requests: string[] = [];
  let pending = 0;
  const server = createServer((request, response) => {
    pending++;
    response.on('close', () => pending--);
    response.on('finish', () => requests.push(`${request.method} ${request.url} ${response.statusCode}`));
    if (isAllowed(request, options.credentials)) return runBackend(folder, request, response);
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end('authentication required\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    folder,
    requests,
    pending: () => pending,
    async createRepository(name) {
      const path = join(folder, `${name}.git`);
      await runGit(folder, ['init', '--quiet', '--bare', '--initial-branch=main', path]);
      await runGit(path, ['config', 'http.receivepack', 'true']);
      await runGit(path, ['config', 'uploadpack.allowFilter', 'true']);
      await runGit(path, ['config', 'uploadpack.allowReachableSHA1InWant', 'true']);
      return { folder: path, url: `${url}/${name}.git` };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function isAllowed(request: IncomingMessage, credentials: GitCredentials | undefined): boolean {
  if (credentials === undefined) return true;
  const expected =
    'bearerToken' in credentials
      ? `Bearer ${credentials.bearerToken}`
      : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  return request.headers.authorization === expected;
}

function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const header = (name: string): string => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: header('git-protocol'),
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  // A client that hangs up breaks the pipe; the exit of git ends the answer either way.
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  response.on('close', () => child.kill());
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/:\s*(.*)/s, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1] ?? '200';
    response.writeHead(
      Number.parseInt(status, 10),
      Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== 'status')),
    );
    response.write(head.subarray(end + 4));
  });
  child.on('error', (error) => response.writeHead(500).end(`git http-backend: ${error.message}\n`));
  child.on('close', () => {
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
}
