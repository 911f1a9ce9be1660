import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sha256Hex } from '../../base/digest.ts';
import { isJsonObject, type JsonValue } from '../../base/json.ts';

/** A file of a Python package, known by its digest. */
export interface PinnedWheel {
  readonly project: string;
  readonly fileName: string;
  readonly sha256: string;
}

const simpleJson = 'application/vnd.pypi.simple.v1+json';

/**
 * Fetches a wheel from the package index that the user's pip is set up for. First with `fetch`; where
 * that fails, as behind a proxy that only pip knows, or where pip has its own default index, with pip itself. Throws when neither gets the very file.
 */
export async function fetchWheel(
  wheel: PinnedWheel,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const content = await withFetch(wheel, signal).catch(async (failure: unknown) => {
    signal?.throwIfAborted();
    return withPip(wheel, folder, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new Error(`fetch: ${lastLine(failure)}; pip: ${lastLine(error)}`, { cause: failure });
    });
  });
  if (sha256Hex(content) === wheel.sha256) return content;
  throw new Error(`${wheel.fileName} has another digest than the pinned one`);
}

async function withFetch(wheel: PinnedWheel, signal: AbortSignal | undefined): Promise<Buffer> {
  const configured = await indexUrl();
  if (configured === undefined) throw new Error('pip is set up for no index of its own');
  const index = new URL(`${wheel.project}/`, configured);
  const headers: Record<string, string> = { accept: `${simpleJson}, text/html;q=0.5` };
  if (index.username !== '') {
    const credentials = `${decodeURIComponent(index.username)}:${decodeURIComponent(index.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
    index.username = '';
    index.password = '';
  }
  const page = await get(index, headers, signal);
  const link = linkIn(await page.text(), page.headers.get('content-type') ?? '', wheel.fileName);
  if (link === undefined) throw new Error(`the index has no ${wheel.fileName}`);
  const address = new URL(link, page.url);
  // Credentials are for the index alone: its files often lie with another host.
  const file = await get(address, address.host === index.host ? headers : {}, signal);
  return Buffer.from(await file.arrayBuffer());
}

async function get(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const response = await fetch(url, { headers, ...(signal !== undefined && { signal }) });
  if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
  return response;
}

/** The file's address on an index page, JSON or HTML, without the digest behind `#`. */
export function linkIn(page: string, contentType: string, fileName: string): string | undefined {
  if (contentType.includes('json')) {
    const parsed = JSON.parse(page) as JsonValue;
    const files =
      isJsonObject(parsed) && Array.isArray(parsed['files']) ? (parsed['files'] as JsonValue[]) : [];
    const file = files.find((entry) => isJsonObject(entry) && entry['filename'] === fileName);
    return isJsonObject(file) && typeof file['url'] === 'string' ? file['url'] : undefined;
  }
  const links = [...page.matchAll(/<a\s[^>]*href="([^"#]+)[^"]*"/g)].map((match) => match[1] ?? '');
  return links.find((link) => link.split('/').at(-1) === fileName)?.replaceAll('&amp;', '&');
}

/** `PIP_INDEX_URL`, else `index-url` of the pip configuration files, the user's before the machine's. */
async function indexUrl(): Promise<URL | undefined> {
  const fromEnvironment = process.env['PIP_INDEX_URL'] ?? '';
  if (fromEnvironment !== '') return withSlash(fromEnvironment);
  for (const file of configurationFiles()) {
    const found = indexUrlIn(await readFile(file, 'utf8').catch(() => ''));
    if (found !== undefined) return withSlash(found);
  }
  return undefined;
}

/** `index-url` of the `[global]` or `[install]` section of a pip configuration file. */
export function indexUrlIn(configuration: string): string | undefined {
  let section = '';
  for (const line of configuration.split(/\r?\n/)) {
    section = /^\s*\[(.+)\]\s*$/.exec(line)?.[1] ?? section;
    const value = /^\s*index[-_]url\s*[=:]\s*(\S+)/.exec(line)?.[1];
    if (value !== undefined && ['global', 'install', 'download'].includes(section)) return value;
  }
  return undefined;
}

function configurationFiles(): string[] {
  const home = homedir();
  const explicit = process.env['PIP_CONFIG_FILE'] ?? '';
  const xdg = process.env['XDG_CONFIG_HOME'] ?? '';
  return [
    ...(explicit === '' ? [] : [explicit]),
    join(xdg === '' ? join(home, '.config') : xdg, 'pip', 'pip.conf'),
    ...(platform() === 'darwin' ? [join(home, 'Library', 'Application Support', 'pip', 'pip.conf')] : []),
    join(home, '.pip', 'pip.conf'),
    '/etc/pip.conf',
  ];
}

function withSlash(url: string): URL {
  return new URL(url.endsWith('/') ? url : `${url}/`);
}

async function withPip(wheel: PinnedWheel, folder: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const [, version = '', , , platformTag = ''] = wheel.fileName.replace(/\.whl$/, '').split('-');
  const options = ['--no-deps', '--only-binary', ':all:', '--platform', platformTag, '--dest', folder];
  const args = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--retries',
    '1',
    ...options,
    `${wheel.project}==${version}`,
  ];
  await promisify(execFile)('python3', args, signal === undefined ? {} : { signal });
  return readFile(join(folder, wheel.fileName));
}

function lastLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = 'stderr' in error ? String(error.stderr).trim() : '';
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return stderr === '' ? `${error.message}${cause}` : (stderr.split('\n').at(-1) ?? '');
}
