import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';

const bundle = resolve(import.meta.dirname, '../../dist/cli.mjs');
/** Names of this run: sandboxes of the user are left alone. */
const name = `cli-${process.pid}`;

after(() => plumb('down', '--name', name));

test('up starts a sandbox, env and status tell of it, down ends it', () => {
  const started = plumb('up', '--name', name);
  assert.equal(started.code, 0, started.err);
  const kubeconfig = /^export KUBECONFIG=(\S+)$/m.exec(started.out)?.[1] ?? '';
  assert.equal(
    kubeconfig,
    join(
      process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
      'plumb',
      'sandboxes',
      name,
      'kubeconfig',
    ),
  );
  assert.match(
    started.out,
    new RegExp(`^sandbox ${name} ready after [0-9.]+ s at https://127\\.0\\.0\\.1:\\d+\n`),
  );

  assert.match(plumb('up', '--name', name).out, new RegExp(`^sandbox ${name} was already running at https:`));
  assert.equal(plumb('env', '--name', name).out, `export KUBECONFIG=${kubeconfig}\n`);
  const other = plumb('up', '--name', name, '--emulate', '1.33');
  assert.notEqual(other.code, 0);
  assert.match(other.err, /shows its own version, not 1\.33/);
  const status = plumb('status', '--name', name, '-o', 'json');
  assert.equal(status.code, 0);
  const [sandbox] = JSON.parse(status.out) as { status: string; state: { kubeconfig: string } }[];
  assert.deepEqual([sandbox?.status, sandbox?.state.kubeconfig], ['running', kubeconfig]);

  assert.equal(plumb('down', '--name', name).out, `sandbox ${name} ended, its data is gone\n`);
  assert.equal(existsSync(dirname(kubeconfig)), false);
  assert.equal(plumb('down', '--name', name).out, `sandbox ${name} was not running\n`);
  assert.equal(plumb('status', '--name', name).code, 1);
  const env = plumb('env', '--name', name);
  assert.deepEqual([env.code, env.out], [1, '']);
  assert.match(env.err, /plumb sandbox up starts it/);
});

test('Ctrl-C during up leaves no sandbox', async () => {
  const interrupted = `${name}-c`;
  const child = spawn(process.execPath, [bundle, 'sandbox', 'up', '--name', interrupted], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  for await (const chunk of child.stderr) if (String(chunk).includes('starting etcd')) child.kill('SIGINT');
  assert.deepEqual(await exited, [130, null]);
  const status = plumb('status', '--name', interrupted, '-o', 'json');
  assert.deepEqual(JSON.parse(status.out), [{ name: interrupted, status: 'absent' }]);
});

test('wrong use is told on stderr with exit code 64, a bad name with 2', () => {
  for (const args of [
    [],
    ['start'],
    ['up', 'now'],
    ['up', '--nodes', '0'],
    ['up', '--emulate', '1.32'],
    ['down', '--all', '--name', 'a'],
    ['flux', 'x'],
  ]) {
    const { code, out, err } = plumb(...args);
    assert.deepEqual([code, out], [64, ''], args.join(' '));
    assert.match(err, /^plumb sandbox: .+\nUsage: plumb sandbox /, args.join(' '));
  }
  assert.equal(plumb('status', '--name', 'A b').code, 2);
});

function plumb(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [bundle, 'sandbox', ...args], { encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}
