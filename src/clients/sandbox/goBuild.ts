import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
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
const tickMs = 1000;

/** Builds a Go program, telling every second how far it is. Throws SandboxFailed with Go's last words. */
export async function goBuild(build: GoBuild): Promise<void> {
  let message = 'looking at Go modules';
  const ticker = setInterval(() => build.onProgress(message), tickMs);
  const say = (now: string): void => {
    message = now;
    build.onProgress(now);
  };
  try {
    const stale = await countStalePackages(build, say);
    await compile(build, stale, say);
  } finally {
    clearInterval(ticker);
  }
}

/** How many packages the build will compile: the rest lies in Go's cache. Fetches the modules. */
async function countStalePackages(build: GoBuild, say: (message: string) => void): Promise<number> {
  let fetched = 0;
  const listed = await runGo(
    build,
    ['list', '-deps', '-trimpath', '-f', '{{if .Stale}}+{{end}}', build.target],
    (line) => {
      if (!line.startsWith('go: downloading ')) return;
      fetched += 1;
      say(`fetching Go modules, ${fetched} so far`);
    },
  );
  if (listed.failure === undefined) return listed.output.split('\n').filter((line) => line === '+').length;
  throw plumbError('SandboxFailed', {
    message: `the Go modules of ${build.folder} could not be loaded: ${listed.failure}`,
    hint: 'check the network, and GOPROXY if you use a proxy of your own',
  });
}

async function compile(build: GoBuild, stale: number, say: (message: string) => void): Promise<void> {
  const { target, ldflags, output } = build;
  let done = 0;
  const flags = ['-v', '-trimpath', '-ldflags', ['-s', '-w', ...ldflags].join(' '), '-o', output];
  const { failure } = await runGo(build, ['build', ...flags, target], (line) => {
    // With -v it names each package that it compiles.
    if (/^[\w.-]+(\/[\w.@-]+)*$/.test(line)) done += 1;
    say(done < stale ? `compiling, ${done} of ${stale} packages done` : 'linking');
  });
  if (failure === undefined) return;
  throw plumbError('SandboxFailed', {
    message: `go build ${target} failed: ${failure}`,
    hint: 'the lines above are the Go compiler’s',
  });
}

/** Runs Go to its end; `failure` is how it ended and its last lines. Throws AbortError when the signal aborts. */
async function runGo(
  { go, folder, signal }: GoBuild,
  args: readonly string[],
  onErrorLine: (line: string) => void,
): Promise<{ readonly output: string; readonly failure: string | undefined }> {
  const child = spawn(go.program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...go.environment,
      // A user's own workspace or flags must not change what is built.
      GOWORK: 'off',
      GOFLAGS: '-buildvcs=false -mod=readonly',
      CGO_ENABLED: '0',
    },
    ...(signal !== undefined && { signal }),
  });
  // Minutes of all processors: the user's own work goes first.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  const lastLines: string[] = [];
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > lastLinesKept) lastLines.shift();
    onErrorLine(line);
  });
  const ended = Promise.withResolvers<string | undefined>();
  child.once('error', (error) => ended.resolve(error.message));
  child.once('close', (code, killed) =>
    ended.resolve(code === 0 ? undefined : `${killed ?? `exit code ${code}`}\n${lastLines.join('\n')}`),
  );
  const failure = await ended.promise;
  signal?.throwIfAborted();
  return { output, failure };
}
