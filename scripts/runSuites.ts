import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isPlumbError } from '../src/base/plumbError.ts';
import { ensureWholeSandbox } from '../src/clients/sandbox/sandboxPrograms.ts';
import { type Sandbox, startSandbox } from '../src/clients/sandbox/startSandbox.ts';

/** A suite runs commands in order; `files` go to node's test runner. */
interface Suite {
  readonly name: string;
  readonly commands?: readonly (readonly string[])[];
  readonly files?: readonly string[];
  /** Has nothing to compare with where this program is missing. */
  readonly needs?: 'go';
  /** Needs a cluster: the suites of one run share a sandbox. */
  readonly sandbox?: true;
  /** Runs only when it is named: why, for those who run all others. */
  readonly onDemand?: string;
  /** At most this many test files at once; the machine's default when absent. */
  readonly concurrency?: number;
  /** Real programs on a shared machine: in CI a failed file gets a second try, alone, and the last lines tell it. */
  readonly secondTry?: true;
}

const suites: readonly Suite[] = [
  {
    name: 'check',
    commands: [
      ['tsc', '-p', '.'],
      ['eslint', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '.'],
      ['prettier', '--check', '--cache', '--log-level', 'warn', '.'],
    ],
  },
  { name: 'unit', files: ['src/**/*.test.ts', 'test/*.test.ts'] },
  { name: 'contract', files: ['test/contract/**/*.test.ts'] },
  { name: 'fuzz', files: ['test/fuzz/**/*.test.ts'], needs: 'go', concurrency: 1 },
  { name: 'cluster', files: ['test/cluster/**/*.test.ts'], sandbox: true, concurrency: 2, secondTry: true },
  {
    name: 'cli',
    commands: [['node', 'scripts/build.mjs']],
    files: ['test/cli/**/*.test.ts'],
    sandbox: true,
    concurrency: 2,
    secondTry: true,
  },
  {
    name: 'editor',
    commands: [['node', 'scripts/build.mjs']],
    files: ['test/editor/*.test.ts'],
    sandbox: true,
    concurrency: 1,
    secondTry: true,
  },
  {
    name: 'shells',
    commands: [['node', 'scripts/build.mjs']],
    files: ['test/shells/*.test.ts'],
    onDemand: 'it needs zsh and fish',
    concurrency: 1,
  },
  {
    name: 'controllers',
    files: ['test/controllers/*.test.ts'],
    onDemand: 'the real source-controller and notification-controller take long to build',
    concurrency: 1,
  },
  {
    name: 'kubernetes',
    files: ['test/kubernetes/*.test.ts'],
    onDemand: 'the API servers of older Kubernetes versions take long to build',
    concurrency: 1,
  },
];

/** More failed files than that are no chance. */
const mostSecondTries = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    exclude: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true, default: [] },
    /** Of the fuzz suite: the first seed and how many cases each file compares. */
    seed: { type: 'string' },
    count: { type: 'string' },
  },
});

const known = suites.map((suite) => suite.name);
const unknown = [...positionals, ...values.exclude].filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no suite named ${unknown.join(', ')}; there are ${known.join(', ')}\n`);
  process.exit(64);
}

const chosen = suites.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
let sandbox: Sandbox | undefined;
const failed: string[] = [];
const lines: string[] = [];
for (const suite of chosen) {
  if (values.exclude.includes(suite.name)) {
    lines.push(`${suite.name}: excluded with --exclude`);
    continue;
  }
  if (suite.onDemand !== undefined && !positionals.includes(suite.name)) {
    lines.push(`${suite.name}: only on demand, as ${suite.onDemand}: npm run test:${suite.name}`);
    continue;
  }
  if (suite.needs === 'go' && spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    lines.push(`${suite.name}: excluded, as it compares with the real libraries and Go is not installed`);
    continue;
  }
  process.stdout.write(`\n── ${suite.name}\n`);
  const started = performance.now();
  const ok = await runSuite(suite);
  if (!ok) failed.push(suite.name);
  lines.push(
    `${suite.name}: ${ok ? 'passed' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}
await sandbox?.stop();
process.stdout.write(`\n${lines.join('\n')}\n`);
process.exit(failed.length === 0 ? 0 : 1);

async function runSuite(suite: Suite): Promise<boolean> {
  for (const [program, ...args] of suite.commands ?? []) {
    const result = spawnSync(program as string, args, { stdio: 'inherit' });
    if (result.status === 0) continue;
    process.stdout.write(
      `${suite.name}: ${program} ${args.join(' ')} exited with ${result.status ?? result.signal ?? String(result.error)}\n`,
    );
    return false;
  }
  if (suite.files === undefined) return true;
  const files = values.only.length > 0 ? values.only : suite.files.flatMap((pattern) => globSync(pattern));
  if (files.length === 0) {
    process.stdout.write(`${suite.name}: has no test files, so it proves nothing\n`);
    return false;
  }
  const kubeconfig = suite.sandbox === true ? await sharedKubeconfig(suite.name) : undefined;
  if (suite.sandbox === true && kubeconfig === undefined) return false;
  const failedOnce = runFiles(files, suite.concurrency, kubeconfig);
  if (failedOnce === 'none') return true;
  const isTriedAgain = suite.secondTry === true && process.env['CI'] === 'true';
  if (!isTriedAgain || failedOnce.length === 0 || failedOnce.length > mostSecondTries) return false;
  const names = failedOnce.map((file) => relative(process.cwd(), file)).join(', ');
  process.stdout.write(`\n── ${suite.name}, second try of ${names}\n`);
  if (runFiles(failedOnce, 1, kubeconfig) !== 'none') return false;
  lines.push(`${suite.name}: ${names} FAILED ONCE and passed when tried again: a defect to find`);
  return true;
}

/** Runs the files; gives those with a failed test, which are none too where the runner itself failed. */
function runFiles(
  files: readonly string[],
  concurrency: number | undefined,
  kubeconfig: string | undefined,
): readonly string[] | 'none' {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-suites-'));
  try {
    const failedFile = join(folder, 'failed');
    const args = [
      '--test',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/failedFiles.mjs',
      `--test-reporter-destination=${failedFile}`,
      ...(concurrency === undefined ? [] : [`--test-concurrency=${concurrency}`]),
      ...files,
    ];
    const result = spawnSync(process.execPath, args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        PLUMB_SANDBOX_KUBECONFIG: kubeconfig,
        ...(values.seed !== undefined && { FUZZ_SEED: values.seed }),
        ...(values.count !== undefined && { FUZZ_COUNT: values.count }),
      },
    });
    if (result.status === 0) return 'none';
    return readFileSync(failedFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The kubeconfig of the run's sandbox, started for the first suite that needs it; undefined when it cannot start. */
async function sharedKubeconfig(suite: string): Promise<string | undefined> {
  const given = process.env['PLUMB_SANDBOX_KUBECONFIG'];
  if (given !== undefined && given !== '') return given;
  const onProgress = (message: string): void => void process.stdout.write(`${message}\n`);
  try {
    sandbox ??= await startSandbox({ programs: await ensureWholeSandbox({ onProgress }) });
    return sandbox.kubeconfig;
  } catch (error) {
    if (!isPlumbError(error)) throw error;
    process.stdout.write(
      `${suite}: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`,
    );
    return undefined;
  }
}
