import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { errorCodes, exitCodeOf } from '../src/base/plumbError.ts';
import { commands } from '../src/cli/commands.ts';

const root = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the README lists every command of the CLI, and no other', () => {
  const documented = [...readme.matchAll(/^\| `plumb ([a-z]+)` \|/gm)].map((match) => match[1]).sort();
  assert.deepEqual(documented, commands.map(({ name }) => name).sort());
});

test('the README documents every exit code', () => {
  const documented = new Set([...readme.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1])));
  const used = [0, 1, 64, ...errorCodes().map(([, kind]) => exitCodeOf(kind))];
  assert.deepEqual([...documented].sort(), [...new Set(used)].sort());
});

test('every command teaches with an example and says what its flags do', () => {
  for (const command of commands) {
    assert.ok(command.examples.length > 0, `${command.name} has no example`);
    for (const [line] of command.examples)
      assert.match(line, new RegExp(`(^|[\\s(])plumb ${command.name}\\b`));
    for (const option of Object.values(command.options)) assert.notEqual(option.description, '');
  }
});

test('decisions are numbered without gaps or twins', () => {
  const numbers = readdirSync(join(root, 'docs/adr')).map((file) => Number(file.slice(0, 4)));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test('F5 on the sample fleet starts its sandbox and uses that cluster, not the user’s', () => {
  const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, '.vscode', file), 'utf8')) as T;
  const { configurations } = read<{ configurations: Record<string, unknown>[] }>('launch.json');
  const { tasks } = read<{ tasks: { label: string }[] }>('tasks.json');
  const labels = [undefined, ...tasks.map(({ label }) => label)];
  for (const configuration of configurations)
    assert.ok(labels.includes(configuration['preLaunchTask'] as string | undefined));
  const onDemo = configurations.filter((each) => JSON.stringify(each).includes('/demo/fleet'));
  assert.equal(onDemo.length, 2);
  for (const { env, preLaunchTask } of onDemo) {
    assert.deepEqual(env, { KUBECONFIG: '${userHome}/.cache/plumb/demo/kubeconfig' });
    assert.equal(preLaunchTask, 'start the sandbox');
  }
});
