import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { bundle, fleet, runPlumb, writeKubeconfig } from './plumbProcess.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumb-completion-'));
after(() => rmSync(folder, { recursive: true }));
const kubeconfig = writeKubeconfig(join(folder, 'config'), { server: 'https://127.0.0.1:1' });

// As an installation has it: a program named plumb on the PATH.
writeFileSync(join(folder, 'plumb'), `#!/bin/sh\nexec '${process.execPath}' '${bundle}' "$@"\n`);
chmodSync(join(folder, 'plumb'), 0o755);

/** What bash offers for the last of the words. */
function bashOffers(...words: readonly string[]): readonly string[] {
  return bashOffersWith(kubeconfig, words);
}

function bashOffersWith(config: string, words: readonly string[]): readonly string[] {
  const quoted = ['plumb', ...words].map((word) => `'${word}'`).join(' ');
  const script = `source <(plumb completion bash)
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}
_plumb
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: fleet,
    encoding: 'utf8',
    env: { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder, KUBECONFIG: config },
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, flags and their values', () => {
  assert.deepEqual(bashOffers('re'), ['reconcile', 'resume']);
  assert.deepEqual(bashOffers('diff', '--f'), ['--from']);
  assert.deepEqual(bashOffers('diff', '--from', '=', 'w'), ['working-tree']);
  assert.deepEqual(bashOffers('get', 'so'), ['sources']);
  assert.deepEqual(bashOffers('get', 'kus'), ['kustomization']);
  assert.deepEqual(bashOffers('get', 'al'), ['all']);
  assert.deepEqual(bashOffers('get', 'sources', ''), []);
  assert.deepEqual(bashOffers('build', ''), []);
});

test('bash completes kinds, contexts and the names of objects, without a cluster from the files', () => {
  assert.deepEqual(bashOffers('diff', 'kus'), ['kustomization']);
  assert.deepEqual(bashOffers('get', '--context', ''), ['c']);
  assert.deepEqual([...bashOffers('diff', 'ks', '')].sort(), ['apps', 'flux-system', 'infra']);
  assert.deepEqual(bashOffers('events', '--for', 'kustomization/a'), ['kustomization/apps']);
  assert.deepEqual(bashOffers('get', '-n', 'flux'), ['flux-system']);
});

test('a cluster that does not answer leaves the names in the files', async (t) => {
  // The system accepts connections for it, and nobody ever reads from them.
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const config = writeKubeconfig(join(folder, 'silent'), { server: `https://127.0.0.1:${port}` });
  const offered = bashOffersWith(config, ['diff', 'ks', '']);
  assert.deepEqual([...offered].sort(), ['apps', 'flux-system', 'infra']);
});

test('every shell has a script that asks the program, other words are wrong usage', () => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { code, out } = runPlumb(['completion', shell], { cwd: folder });
    assert.equal(code, 0);
    assert.match(out, /plumb __complete/);
  }
  assert.equal(runPlumb(['completion', 'tcsh'], { cwd: folder }).code, 64);
});

test('each answer is a word, a tab and its meaning; a word that a shell lost is counted', () => {
  const asked = runPlumb(['__complete', '--', 'rec'], { cwd: folder });
  assert.equal(asked.out, 'reconcile\tReconcile one object, or all of a kind, now and wait for it\n');
  const lost = runPlumb(['__complete', '--count', '2', '--', 'get'], { cwd: folder });
  assert.match(lost.out, /^all\t\nsources\t\nworkloads\t\n/);
  assert.equal(runPlumb(['__complete', '--', 'build', ''], { cwd: folder }).out, ':files\n');
  const failed = runPlumb(['__complete', '--', 'get', '--context', ''], { cwd: folder });
  assert.deepEqual([failed.out, failed.err], ['', '']);
});
