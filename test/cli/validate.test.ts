import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const bundle = resolve(import.meta.dirname, '../../dist/cli.mjs');
const fleet = resolve(import.meta.dirname, '../fixtures/fleet');

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-validate-'));
  write('.git/HEAD', 'ref: refs/heads/main\n');
  write('apps/kustomization.yaml', 'resources: [../base, gone.yaml]\n');
  write('base/kustomization.yaml', 'resources: [settings.yaml]\n');
  write(
    'base/settings.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndta: { port: "80" }\n',
  );
});

after(() => rmSync(folder, { recursive: true }));

test('says nothing about the sample fleet and exits with 0', () => {
  const run = validate(fleet, []);
  assert.equal(run.out, '');
  assert.match(run.err, /^\d+ files: 0 errors, 0 warnings\n$/);
  assert.equal(run.code, 0);
});

test('tells each finding on a line, with the code of its page, and exits with 1', () => {
  const run = validate(folder, []);
  assert.equal(
    run.out,
    'apps/kustomization.yaml:1:22: error: there is no gone.yaml here [missing-resource]\n' +
      'base/settings.yaml:4:1: warning: dta is not a field of ConfigMap (did you mean data?) [unknown-field]\n',
  );
  assert.equal(run.err, '3 files: 1 error, 1 warning\n');
  assert.equal(run.code, 1);
});

test('judges a path as part of its repository, and names files as seen from here', () => {
  const run = validate(join(folder, 'apps'), ['.']);
  assert.equal(run.out, 'kustomization.yaml:1:22: error: there is no gone.yaml here [missing-resource]\n');
});

test('prints JSON whose lines and columns count from one', () => {
  const run = validate(folder, ['base', '--errors-only', '-o', 'json']);
  assert.deepEqual(JSON.parse(run.out), {
    summary: { files: 2, errors: 0, warnings: 0 },
    diagnostics: [],
  });
  assert.equal(run.code, 0);
  const found = JSON.parse(validate(folder, ['apps', '-o', 'json']).out) as { diagnostics: unknown[] };
  assert.deepEqual(found.diagnostics, [
    {
      path: 'apps/kustomization.yaml',
      line: 1,
      column: 22,
      endLine: 1,
      endColumn: 31,
      severity: 'error',
      code: 'missing-resource',
      message: 'there is no gone.yaml here',
    },
  ]);
});

test('refuses a path that does not exist and an unknown format', () => {
  assert.equal(validate(folder, ['nowhere']).code, 2);
  assert.equal(validate(folder, ['-o', 'xml']).code, 64);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function validate(
  cwd: string,
  args: readonly string[],
): { readonly code: number | null; readonly out: string; readonly err: string } {
  const run = spawnSync(process.execPath, [bundle, 'validate', ...args], { cwd, encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}
