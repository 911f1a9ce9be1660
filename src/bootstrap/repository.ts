import { plumbError } from '../base/plumbError.ts';
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
  const refs = await ctx.git.listRefs(remote, ['refs/heads/*'], ctx.signal);
  if (!refs.has(`refs/heads/${branch}`)) {
    if (refs.size === 0) return { files: new Map() };
    const names = [...refs.keys()].map((name) => name.replace('refs/heads/', ''));
    throw plumbError('NotFound', {
      subject: publicUrl(remote.url),
      message: `branch ${branch} does not exist in the repository`,
      hint: `push it first, or choose one with --branch: ${names.slice(0, 5).join(', ')}`,
    });
  }
  const commit = await ctx.git.fetch(remote, { type: 'branch', branch }, ctx.signal);
  const beside = target.path === '' ? '' : `${target.path}/`;
  const wanted = (await ctx.git.listTree(commit, ctx.signal)).filter(
    ({ path, type }) =>
      type === 'file' &&
      ((path.startsWith(`${target.folder}/`) && /\.ya?ml$|\/Kustomization$/.test(path)) ||
        (path.startsWith(beside) &&
          /^(kustomization\.ya?ml|Kustomization)$/.test(path.slice(beside.length)))),
  );
  const bytes = await ctx.git.readFiles(commit, wanted, ctx.signal);
  const files = [...bytes].map(([path, content]) => [path, Buffer.from(content).toString()] as const);
  return { head: commit.hash, files: new Map(files.sort(([a], [b]) => (a < b ? -1 : 1))) };
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
