import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import type { ObjectSource } from './gitObjects.ts';
import { runGit } from './gitProcess.ts';
import { makeScratchFolder } from './scratchFolder.ts';

export interface CommitAuthor {
  readonly name: string;
  readonly email: string;
}

/** A commit on top of what the branch holds now. */
export interface CommitRequest {
  readonly branch: string;
  /** Path to its new content; undefined removes it. */
  readonly changes: ReadonlyMap<string, Uint8Array | string | undefined>;
  readonly message: string;
  readonly author: CommitAuthor;
  /** Refuse unless the branch is still at this commit; `null`: unless it does not exist. */
  readonly expectedHead?: string | null;
  /** RFC 3339; now when absent. */
  readonly date?: string;
}

type Run = (...args: string[]) => Promise<string>;

/** Commits into the local store and pushes. Gives the hash of the pushed commit, or of the head when nothing changes. */
export async function pushChanges(
  run: Run,
  source: ObjectSource,
  url: string,
  request: CommitRequest,
): Promise<string> {
  const head = await fetchHead(run, url, request.branch);
  if (request.expectedHead !== undefined && request.expectedHead !== (head ?? null)) {
    throw plumbError('PlanOutdated', {
      subject: url,
      message: `branch '${request.branch}' moved to ${head ?? 'nothing'} since the plan was made`,
      hint: 'look at the plan again and approve it once more',
    });
  }
  const tree = await writeTree(source, head, request.changes);
  if (head !== undefined && tree === (await run('rev-parse', `${head}^{tree}`)).trim()) return head;
  const commit = await local(source, {
    args: ['commit-tree', tree, ...(head === undefined ? [] : ['-p', head])],
    input: request.message,
    env: authorVariables(request),
  });
  await run('push', '--quiet', '--porcelain', '--', url, `${commit}:refs/heads/${request.branch}`).catch(
    (error: unknown) => {
      if (!isPlumbError(error, 'GitOperationFailed')) throw error;
      throw plumbError('GitOperationFailed', {
        ...error.details,
        hint: 'the branch may be protected or may have moved: allow the push or try again',
      });
    },
  );
  return commit;
}

async function fetchHead(run: Run, url: string, branch: string): Promise<string | undefined> {
  const name = `refs/heads/${branch}`;
  const refs = await run('ls-remote', '--quiet', '--', url, name);
  const hash = refs
    .split('\n')
    .find((line) => line.endsWith(`\t${name}`))
    ?.split('\t')[0];
  if (hash === undefined) return undefined;
  const store = `refs/plumb/heads/${branch}`;
  await run(
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--depth=1',
    '--force',
    '--',
    url,
    `+${name}:${store}`,
  );
  return (await run('rev-parse', store)).trim();
}

async function writeTree(
  source: ObjectSource,
  head: string | undefined,
  changes: CommitRequest['changes'],
): Promise<string> {
  const folder = await makeScratchFolder('index');
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    await local(source, { args: head === undefined ? ['read-tree', '--empty'] : ['read-tree', head], env });
    const lines: string[] = [];
    for (const [path, content] of changes) {
      if (content === undefined) lines.push(`0 ${'0'.repeat(40)}\t${path}`);
      else {
        const input = Buffer.from(content);
        const hash = await local(source, { args: ['hash-object', '-w', '--stdin'], input });
        lines.push(`100644 ${hash}\t${path}`);
      }
    }
    await local(source, {
      args: ['update-index', '-z', '--index-info'],
      input: `${lines.join('\0')}\0`,
      env,
    });
    return await local(source, { args: ['write-tree'], env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface LocalCall {
  readonly args: readonly string[];
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

async function local({ program, folder, env }: ObjectSource, call: LocalCall): Promise<string> {
  const output = await runGit(program, { folder, ...call, env: { ...env, ...call.env } });
  return output.trim();
}

function authorVariables({ author, date }: CommitRequest): Readonly<Record<string, string>> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    ...(date !== undefined && { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }),
  };
}
