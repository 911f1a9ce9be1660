import { parseDuration, type DurationMs } from '../../base/duration.ts';

/** A repository that a kustomization names by URL, as kustomize takes such URLs apart. */
export interface GitUrl {
  /** The URL as written; it names the fetched tree in BuildOptions.remotes. */
  readonly url: string;
  /** What to clone. */
  readonly repository: string;
  /** Branch, tag or commit; '' is the default branch. */
  readonly ref: string;
  /** The folder inside the repository. */
  readonly path: string;
  readonly submodules: boolean;
  /** How long one git command may take, where the URL says. */
  readonly timeoutMs?: DurationMs;
}

/** Takes a URL apart; undefined when kustomize would not take it for a repository. */
export function parseGitUrl(url: string): GitUrl | undefined {
  if (url.startsWith('/')) return undefined;
  const question = url.indexOf('?');
  const location = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const host = parseHost(location);
  if (host === undefined) return undefined;
  const parts = splitPath(host.rest, host.prefix.startsWith('file://'));
  if (parts === undefined || parts.repository === '' || leavesRepository(parts.path)) return undefined;
  const submodules = query.get('submodules');
  return {
    url,
    repository: host.prefix + parts.repository,
    ref: query.get('ref') || query.get('version') || '',
    path: parts.path.replace(/^\//, ''),
    submodules: submodules === null || !/^(?:0|f|F|false|FALSE|False)$/.test(submodules),
    ...timeoutOf(query.get('timeout') ?? ''),
  };
}

/** Whole seconds or a duration of Go; anything else counts as not given. */
function timeoutOf(text: string): { readonly timeoutMs?: DurationMs } {
  const timeoutMs = /^[+-]?\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  return timeoutMs !== undefined && timeoutMs > 0 ? { timeoutMs } : {};
}

/** Tells whether a path is an http(s) URL, of a file or of a repository. */
export function isHttpUrl(path: string): boolean {
  return /^https?:\/\//i.test(path);
}

function parseHost(location: string): { readonly prefix: string; readonly rest: string } | undefined {
  const withoutForce = location.replace(/^git::/i, '');
  const scheme = /^(?:ssh|https?|file):\/\//i.exec(withoutForce)?.[0].toLowerCase() ?? '';
  const afterScheme = withoutForce.slice(scheme.length);
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(afterScheme)?.[0] ?? '';
  const rest = afterScheme.slice(user.length);
  const isGithub = /^github\.com[/:]/i.test(rest);
  const mayBeScp = scheme === '' && (user !== '' || isGithub);
  if (scheme === '' && !mayBeScp) return undefined;
  if (scheme === 'file://') return { prefix: scheme, rest: user + rest };
  const end = hostEnd(rest, mayBeScp);
  const host = end < 0 ? rest : rest.slice(0, end + 1);
  const path = end < 0 ? '' : rest.slice(end + 1);
  if (isGithub) {
    const prefix = scheme === 'ssh://' || user !== '' ? `${user}github.com:` : 'https://github.com/';
    return { prefix, rest: path };
  }
  return host === '' ? undefined : { prefix: scheme + user + host, rest: path };
}

function hostEnd(text: string, mayBeScp: boolean): number {
  const slash = text.indexOf('/');
  if (!mayBeScp) return slash;
  const colon = text.indexOf(':');
  return slash < 0 || (colon > 0 && colon < slash) ? colon : slash;
}

function splitPath(
  path: string,
  isFile: boolean,
): { readonly repository: string; readonly path: string } | undefined {
  const git = path.indexOf('_git/');
  if (git >= 0) {
    const [name = '', ...rest] = path.slice(git + 5).split('/');
    return { repository: path.slice(0, git + 5) + name, path: rest.join('/') };
  }
  const double = path.indexOf('//');
  if (double >= 0) return { repository: path.slice(0, double), path: path.slice(double + 2) };
  const suffix = path.indexOf('.git');
  if (suffix >= 0) return { repository: path.slice(0, suffix + 4), path: path.slice(suffix + 4) };
  if (isFile) return { repository: path, path: '' };
  const segments = path.split('/');
  if (segments.length < 2) return undefined;
  return { repository: segments.slice(0, 2).join('/'), path: segments.slice(2).join('/') };
}

function leavesRepository(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
