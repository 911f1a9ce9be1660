import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureGoBinary } from '../../src/clients/sandbox/goBinary.ts';

const goMod = 'module example.org/greet\n\ngo 1.26.0\n';
const program = 'package main\n\nfunc main() { print("hello") }\n';

test('a program is built once, told about meanwhile, and built anew when its sources change', () =>
  inModule({ 'go.mod': goMod, 'main.go': program }, async (folder) => {
    const said: string[] = [];
    const recipe = { name: `greet-${process.pid}`, folder, target: '.', ldflags: [] };
    const first = await ensureGoBinary(recipe, { onProgress: (message) => said.push(message) });
    assert.match(said.at(-1) ?? '', new RegExp(`^building greet-${process.pid}: .+ \\(\\d+ s\\)$`));
    assert.equal(run(first), 'hello');
    said.length = 0;
    assert.equal(await ensureGoBinary(recipe, { onProgress: (message) => said.push(message) }), first);
    assert.deepEqual(said, []);
    await writeFile(join(folder, 'main.go'), program.replace('hello', 'bye'));
    const second = await ensureGoBinary(recipe);
    assert.equal(run(second), 'bye');
    for (const binary of [first, second]) await rm(join(binary, '..'), { recursive: true });
  }));

test('what the compiler says stands in the error', () =>
  inModule({ 'go.mod': goMod, 'main.go': 'package main\n\nfunc main() { missing() }\n' }, async (folder) => {
    await assert.rejects(ensureGoBinary({ name: 'broken', folder, target: '.', ldflags: [] }), {
      code: 'SandboxFailed',
      message: /^go build \. failed: exit code 1\n(.*\n)*\.\/main\.go:3:15: undefined: missing$/,
    });
  }));

test('a module that cannot be loaded is told with its folder', () =>
  inModule(
    {
      'go.mod': `${goMod}require example.org/gone v1.0.0\n`,
      'main.go': 'package main\n\nimport _ "example.org/gone"\n\nfunc main() {}\n',
    },
    async (folder) => {
      await assert.rejects(
        ensureGoBinary({ name: 'broken', folder, target: '.', ldflags: [] }),
        (error: Error) => {
          assert.ok(
            error.message.startsWith(`the Go modules of ${folder} could not be loaded: exit code 1\n`),
            error.message,
          );
          return error.message.includes('example.org/gone');
        },
      );
    },
  ));

test('an abort ends the build', () =>
  inModule({ 'go.mod': goMod, 'main.go': program }, async (folder) => {
    const abort = new AbortController();
    const building = ensureGoBinary(
      { name: 'aborted', folder, target: '.', ldflags: [] },
      { signal: abort.signal, onProgress: () => abort.abort() },
    );
    await assert.rejects(building, { name: 'AbortError' });
  }));

async function inModule(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-go-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Go's print writes to stderr. */
function run(binary: string): string {
  return execFileSync('sh', ['-c', `'${binary}' 2>&1`], { encoding: 'utf8' });
}
