import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringifyJson, type JsonObject, type JsonValue } from '../../src/base/json.ts';

/** What the real library says to one input: a value, or its refusal. */
export interface OracleAnswer {
  readonly output?: JsonValue;
  readonly error?: string;
}

export type OracleType =
  'kustomize' | 'flux' | 'envsubst' | 'kstatus' | 'sourceignore' | 'yaml' | 'cel' | 'semver';

/** One process of the Go oracle; questions are answered in the order they are asked. */
export interface Oracle {
  ask(type: OracleType, input: JsonValue): Promise<OracleAnswer>;
  close(): Promise<void>;
}

/** Asks the SOPS oracle, whose libraries are too heavy for the other one. */
export interface SopsOracle {
  ask(type: 'encrypt' | 'decrypt', input: JsonObject): Promise<OracleAnswer>;
  close(): Promise<void>;
}

/** Tells whether this machine can build the oracle. */
export function hasGo(): boolean {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
}

/** Starts the oracle, after building it when its sources have changed. Throws when Go is missing or the build fails. */
export async function startOracle(): Promise<Oracle> {
  const { ask, close } = await startProgram(oracleProgram(import.meta.dirname, 'oracle'));
  return { ask: (type, input) => ask({ type, input }), close };
}

/** Starts the SOPS oracle as startOracle does the other. */
export async function startSopsOracle(): Promise<SopsOracle> {
  const { ask, close } = await startProgram(oracleProgram(join(import.meta.dirname, 'sops'), 'oracle-sops'));
  return { ask: (type, input) => ask({ ...input, type }), close };
}

interface Program {
  ask(request: JsonObject): Promise<OracleAnswer>;
  close(): Promise<void>;
}

async function startProgram(program: string): Promise<Program> {
  const temporary = existsSync('/dev/shm') ? '/dev/shm' : undefined;
  const child = spawn(program, [], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(temporary !== undefined && { TMPDIR: temporary }) },
  });
  const waiting: { resolve: (answer: OracleAnswer) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift()?.resolve(JSON.parse(line) as OracleAnswer);
  });
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => {
      for (const { reject } of waiting.splice(0)) reject(new Error('the oracle ended without an answer'));
      resolve();
    });
  });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${stringifyJson(request)}\n`);
      }),
    close: () => endOf(child, closed),
  };
}

async function endOf(child: ChildProcess, closed: Promise<void>): Promise<void> {
  child.stdin?.end();
  await closed;
}

/** The built program, cached outside the tree by the digest of its sources. */
function oracleProgram(folder: string, name: string): string {
  const sources = readdirSync(folder).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name));
  const hash = createHash('sha256');
  for (const name of sources.sort()) hash.update(name).update(readFileSync(join(folder, name)));
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plumb', name);
  const program = join(cache, hash.digest('hex').slice(0, 16));
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  process.stderr.write(
    'building the oracle (once per change of test/oracle; a few minutes the first time) …\n',
  );
  const unfinished = `${program}.${process.pid}`;
  const built = spawnSync('go', ['build', '-o', unfinished, '.'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.error !== undefined) throw new Error('the oracle needs Go 1.26', { cause: built.error });
  if (built.status !== 0) throw new Error('go build failed in test/oracle; the lines above say why');
  renameSync(unfinished, program);
  return program;
}
