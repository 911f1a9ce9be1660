import { FileTree } from '../base/fileTree.ts';
import { isPlumbError, plumbError } from '../base/plumbError.ts';
import type { GitClient } from '../clients/git/gitClient.ts';
import type { GitAuth, GitRemote } from '../clients/git/gitRemote.ts';
import { publicUrl } from '../clients/git/gitRemote.ts';
import type { RunContext } from '../ssa/runContext.ts';
import type { BootstrapTarget } from './bootstrapTarget.ts';
import type { SyncSecretPlan } from './syncSecret.ts';

/** A run that also talks to a repository. */
export interface BootstrapContext extends RunContext {
  readonly git: GitClient;
}

/** What of the branch a bootstrap has to know. */
export interface RepositoryState {
  /** Absent when the repository is empty: the first push makes the branch. */
  readonly head?: string;
  /** Text files below the Flux folder, and the kustomization file beside it, by path from the root. */
  readonly files: ReadonlyMap<string, string>;
  /** Everything that a build of the Flux folder may read. */
  readonly tree: FileTree;
}

/** How this run reaches the repository: with the credentials given, or with the user's own git where a deploy key is only made. */
export function remoteOf(target: BootstrapTarget, secret: SyncSecretPlan | undefined): GitRemote {
  const { request, url } = target;
  const auth = gitAuthOf(target, secret);
  return {
    url: url.toString(),
    ...(auth !== undefined && { auth }),
    ...(request.caBundle !== undefined && { caBundle: request.caBundle }),
  };
}

/** Reads the newest state of the branch. Throws NotFound when the repository has branches but not this one. */
export async function readRepository(
  ctx: BootstrapContext,
  remote: GitRemote,
  target: BootstrapTarget,
): Promise<RepositoryState> {
  const { branch } = target.request;
  const refs = await ctx.git.listRefs(remote, ['refs/heads/*'], ctx.signal).catch((error: unknown) => {
    throw refusedLogin(error, target);
  });
  if (!refs.has(`refs/heads/${branch}`)) {
    if (refs.size === 0) return { files: new Map(), tree: FileTree.empty };
    const names = [...refs.keys()].map((name) => name.replace('refs/heads/', ''));
    throw plumbError('NotFound', {
      subject: publicUrl(remote.url),
      message: `branch ${branch} does not exist in the repository`,
      hint: `push it first, or choose one with --branch: ${names.slice(0, 5).join(', ')}`,
    });
  }
  const commit = await ctx.git.fetch(remote, { type: 'branch', branch }, ctx.signal);
  const beside = target.path === '' ? '' : `${target.path}/`;
  const entries = (await ctx.git.listTree(commit, ctx.signal)).filter(
    ({ type }) => type === 'file' || type === 'executable',
  );
  const isBeside = (path: string): boolean =>
    path.startsWith(beside) && isKustomizationFile(path.slice(beside.length));
  const isBelow = (path: string): boolean => path.startsWith(`${target.folder}/`);
  const near = entries.filter(({ path }) => isBelow(path) || isBeside(path));
  const bytes = await ctx.git.readFiles(commit, near, ctx.signal);
  const files = [...bytes]
    .filter(([path]) => isBeside(path) || /\.ya?ml$|\/Kustomization$/.test(path))
    .map(([path, content]) => [path, Buffer.from(content).toString()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const reachesOut = files.some(
    ([path, text]) => isBelow(path) && isKustomizationFile(posixName(path)) && text.includes('..'),
  );
  const all = reachesOut ? await ctx.git.readFiles(commit, entries, ctx.signal) : bytes;
  return { head: commit.hash, files: new Map(files), tree: FileTree.from(all) };
}

/**
 * What was refused, in front of git's own words. The remedy is another one than for a source of the cluster, whose Secret is to
 * be checked: here it is not made yet.
 */
function refusedLogin(error: unknown, { request }: BootstrapTarget): unknown {
  if (!isPlumbError(error, 'AuthenticationFailed') || /host key/.test(error.message)) return error;
  const { what, hint } = refusals[request.auth.type];
  return plumbError('AuthenticationFailed', {
    ...error.details,
    message: `${what} (${error.details.message})`,
    hint,
    cause: error,
  });
}

const tokenHint =
  'check the user name and the token (GIT_PASSWORD); one that the editor stored goes with "Plumb: Forget Credentials…"';
const refusals: Readonly<
  Record<BootstrapTarget['request']['auth']['type'], { readonly what: string; readonly hint: string }>
> = {
  none: {
    what: 'the server wants a login',
    hint: 'give a user name and a token, or a bearer token',
  },
  password: { what: 'the server refused the user name or the token', hint: tokenHint },
  bearer: { what: 'the server refused the token', hint: tokenHint },
  deployKey: {
    what: 'the server refused the login of your own git, which does the push',
    hint: 'git ls-remote with that address must work on this machine',
  },
  privateKey: {
    what: 'the server refused the private key',
    hint: 'give a key that may read and push there',
  },
};

function isKustomizationFile(name: string): boolean {
  return /^(kustomization\.ya?ml|Kustomization)$/.test(name);
}

function posixName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function gitAuthOf(target: BootstrapTarget, secret: SyncSecretPlan | undefined): GitAuth | undefined {
  const { auth } = target.request;
  switch (auth.type) {
    case 'none':
      return undefined;
    case 'password':
      return { type: 'basic', username: auth.username, password: auth.password };
    case 'bearer':
      return { type: 'bearer', token: auth.token };
    case 'deployKey':
      return { type: 'user' };
    case 'privateKey':
      return {
        type: 'ssh',
        identity: auth.identity,
        knownHosts: secret?.data.get('known_hosts')?.reveal() ?? '',
        ...(auth.passphrase !== undefined && { passphrase: auth.passphrase }),
      };
  }
}
