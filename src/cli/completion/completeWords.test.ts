import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from '../commands.ts';
import { completeWords } from './completeWords.ts';

function words(...typed: readonly string[]): readonly string[] {
  const completing = completeWords(commands, typed);
  return completing.type === 'words' ? completing.candidates.map(([word]) => word) : [completing.what];
}

test('the first word is a command, and each has its meaning', () => {
  assert.deepEqual(
    words(''),
    commands.map(({ name }) => name),
  );
  assert.deepEqual(words('--'), ['--help', '--version']);
  assert.deepEqual(
    words('help', ''),
    commands.map(({ name }) => name),
  );
  assert.deepEqual(words('nonsense', ''), []);
});

test('words follow the command: a kind, then an object of it, then nothing new', () => {
  assert.deepEqual(words('diff', ''), ['kind']);
  assert.deepEqual(words('diff', 'kustomization', ''), ['object']);
  assert.deepEqual(words('get', 's').slice(0, 4), ['all', 'sources', 'workloads', 'helmrelease']);
  assert.deepEqual(words('get', 'kustomization', ''), ['object']);
  assert.deepEqual(words('completion', ''), ['bash', 'zsh', 'fish', 'powershell']);
  assert.deepEqual(words('check', ''), []);
  const completing = completeWords(commands, ['diff', '-n', 'shop', 'ks', '']);
  assert.deepEqual(completing, {
    type: 'lookup',
    what: 'object',
    positionals: ['ks'],
    options: { namespace: 'shop' },
  });
});

test('flags are offered, and what stands behind them', () => {
  assert.ok(words('diff', '--').includes('--from'));
  assert.deepEqual(words('diff', '--from', ''), ['working-tree', 'source']);
  assert.deepEqual(words('diff', '--from=s'), ['working-tree', 'source']);
  assert.deepEqual(words('diff', '--from', '=', 's'), ['working-tree', 'source']);
  assert.deepEqual(words('get', '--context', ''), ['context']);
  assert.deepEqual(words('get', '-n', ''), ['namespace']);
  assert.deepEqual(words('get', '--kubeconfig', ''), ['file']);
  assert.deepEqual(words('events', '--for', 'k'), ['kindAndObject']);
  assert.deepEqual(words('suspend', 'ks', 'apps', '--reason', ''), []);
  assert.deepEqual(words('build', '--', '-'), ['file']);
});

test('every command says what its words are where its usage names some', () => {
  for (const { name, usage, completions } of commands)
    assert.equal(completions !== undefined, /^[^-[]|^\[[^-]/.test(usage), `${name} ${usage}`);
});
