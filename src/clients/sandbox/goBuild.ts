import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { constants, setPriority } from 'node:os';
import { promisify } from 'node:util';
import { plumbError } from '../../base/plumbError.ts';
import type { GoToolchain } from './goToolchain.ts';

export interface GoBuild {
  readonly go: GoToolchain;
  /** The folder of the go.mod. */
  readonly folder: string;
  /** What to build in it: `.`, or the path of a main package of another module. */
  readonly target: string;
  readonly ldflags: readonly string[];
  readonly output: string;
  readonly signal?: AbortSignal;
  readonly onProgress: (message: string) => void;
}

const lastLinesKept = 12;
const outputLimitBytes = 16 * 1024 * 1024;

/** Builds a Go program, telling how many of its packages are done. Throws SandboxFailed with the compiler's last words. */
export async function goBuild(build: GoBuild): Promise<void> {
  const { go, folder, target, ldflags, output, signal, onProgress } = build;
  const env = {
    ...process.env,
    ...go.environment,
    // A user's own workspace or flags must not change what is built.
    GOWORK: 'off',
    GOFLAGS: '-buildvcs=false -mod=readonly',
    CGO_ENABLED: '0',
  };
  onProgress('fetching Go modules');
  const total = await countStalePackages(build, env);
  const args = [
    'build',
    '-v',
    '-trimpath',
    '-ldflags',
    ['-s', '-w', ...ldflags].join(' '),
    '-o',
    output,
    target,
  ];
  const child = spawn(go.program, args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal !== undefined && { signal }),
  });
  // Minutes of all processors: the user's own work goes first.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  const lastLines: string[] = [];
  let done = 0;
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > lastLinesKept) lastLines.shift();
    // With -v it names each package that it compiles.
    if (/^[\w.-]+(\/[\w.@-]+)*$/.test(line)) done += 1;
    onProgress(done < total ? `compiling, ${done} of ${total} packages done` : 'linking');
  });
  const ended = Promise.withResolvers<string | undefined>();
  child.once('error', (error) => ended.resolve(error.message));
  child.once('close', (code, killed) =>
    ended.resolve(code === 0 ? undefined : `ended with ${killed ?? `exit code ${code}`}`),
  );
  const failure = await ended.promise;
  signal?.throwIfAborted();
  if (failure === undefined) return;
  throw plumbError('SandboxFailed', {
    message: `go build ${target} ${failure}:\n${lastLines.join('\n')}`,
    hint: 'the lines above are the Go compiler’s; a module that could not be fetched needs GOPROXY or the network',
  });
}

/** How many packages the build will compile: the rest lies in Go's cache. */
async function countStalePackages(build: GoBuild, env: NodeJS.ProcessEnv): Promise<number> {
  const { go, folder, target, signal } = build;
  try {
    const { stdout } = await promisify(execFile)(
      go.program,
      ['list', '-deps', '-trimpath', '-f', '{{if .Stale}}+{{end}}', target],
      {
        cwd: folder,
        env,
        maxBuffer: outputLimitBytes,
        ...(signal !== undefined && { signal }),
      },
    );
    return stdout.split('\n').filter((line) => line === '+').length;
  } catch (error) {
    signal?.throwIfAborted();
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw plumbError('SandboxFailed', {
      message: `the Go modules of ${folder} could not be loaded: ${stderr.split('\n').slice(-lastLinesKept).join('\n')}`,
      hint: 'check the network, and GOPROXY if you use a proxy of your own',
      cause: error,
    });
  }
}
