import { spawn } from 'node:child_process';

/** The author of every commit a test makes; the time is fixed, so equal content gives equal commits. */
const author = 'Test <test@plumb.example> 1767268800 +0000';

/** Runs git in a folder without the user's configuration; gives its standard output, trimmed. */
export async function runGit(folder: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn('git', args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@plumb.example',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@plumb.example',
    },
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode !== 0)
    throw new Error(`git ${args.join(' ')} exited with ${exitCode}: ${Buffer.concat(errors).toString()}`);
  return Buffer.concat(output).toString().trim();
}

export interface TestCommit {
  /** Path to content; null removes the file. What is not named stays as it is. */
  readonly files: Readonly<Record<string, string | Uint8Array | null>>;
  readonly message?: string;
  /** `main` when absent; made when it does not exist. */
  readonly branch?: string;
  /** Also set this lightweight tag. */
  readonly tag?: string;
}

/** Commits files straight into a (bare) repository, without a working tree; gives the commit's hash. */
export async function commitFiles(repositoryFolder: string, commit: TestCommit): Promise<string> {
  const ref = `refs/heads/${commit.branch ?? 'main'}`;
  const parent = await runGit(repositoryFolder, ['for-each-ref', '--format=%(objectname)', ref]);
  const lines: string[] = [`commit ${ref}`, `committer ${author}`, data(commit.message ?? 'Change files')];
  if (parent !== '') lines.push(`from ${parent}`);
  for (const [path, content] of Object.entries(commit.files)) {
    if (content === null) lines.push(`D ${quote(path)}`);
    else
      lines.push(`M 100644 inline ${quote(path)}`, data(Buffer.from(content).toString('latin1'), 'latin1'));
  }
  await importStream(repositoryFolder, `${lines.join('\n')}\n`);
  const hash = await runGit(repositoryFolder, ['rev-parse', ref]);
  if (commit.tag !== undefined) await runGit(repositoryFolder, ['tag', '--force', commit.tag, hash]);
  return hash;
}

function data(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  const bytes = Buffer.from(text, encoding);
  return `data ${bytes.byteLength}\n${bytes.toString('latin1')}`;
}

function quote(path: string): string {
  return `"${Buffer.from(path).toString('latin1').replaceAll(/["\\]/g, '\\$&')}"`;
}

async function importStream(folder: string, stream: string): Promise<void> {
  const child = spawn('git', ['fast-import', '--quiet'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(Buffer.from(stream, 'latin1'));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode !== 0) throw new Error(`git fast-import exited with ${exitCode}`);
}
