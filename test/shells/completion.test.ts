import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { bundle, fleet, writeKubeconfig } from '../cli/plumbProcess.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumb-shells-'));
after(() => rmSync(folder, { recursive: true }));
writeKubeconfig(join(folder, 'config'), { server: 'https://127.0.0.1:1' });
writeFileSync(join(folder, 'plumb'), `#!/bin/sh\nexec '${process.execPath}' '${bundle}' "$@"\n`);
chmodSync(join(folder, 'plumb'), 0o755);

/** Runs the shell in the sample fleet with `plumb` on its PATH; fails when the shell is missing or says anything on stderr. */
function run(shell: string, args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(shell, args, {
    cwd: fleet,
    encoding: 'utf8',
    timeout: 120_000,
    env: {
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      HOME: folder,
      KUBECONFIG: join(folder, 'config'),
      TERM: 'dumb',
    },
  });
  assert.equal(error, undefined, `${shell}: ${String(error)}\n${stdout}`);
  assert.equal(stderr, '');
  return stdout;
}

test('fish offers commands, flags, values, files, kinds and objects, each with its meaning', () => {
  const offers = (line: string): readonly string[] => {
    const out = run('fish', ['-c', `plumb completion fish | source; complete -C '${line}'`]);
    return out.split('\n').filter((candidate) => candidate !== '');
  };
  assert.deepEqual(offers('plumb re'), [
    'reconcile\tReconcile one object, or all of a kind, now and wait for it',
    'resume\tGo on with the reconciliation of one object, or of all of a kind',
  ]);
  assert.match(offers('plumb diff --f').join('\n'), /^--from\tworking-tree: .*$/);
  assert.deepEqual(offers('plumb diff --from=w'), ['--from=working-tree']);
  assert.deepEqual(offers('plumb diff --from w'), ['working-tree']);
  assert.deepEqual(offers('plumb build app'), ['apps/']);
  assert.deepEqual(offers('plumb diff kus'), ['kustomization']);
  assert.deepEqual(
    offers('plumb diff ks ').map((candidate) => candidate.split('\t')[0]),
    ['apps', 'flux-system', 'infra'],
  );
  assert.deepEqual(offers('plumb get -n flux'), ['flux-system']);
});

test('zsh completes at its prompt: commands, flags, values, files, kinds and objects', () => {
  // What is typed before Tab, and what then stands on the screen.
  const typed: readonly (readonly [string, string])[] = [
    ['plumb re', '*reconcile*-- Reconcile one object, or all of a kind,*resume*-- Go on*'],
    ['plumb comp', '*plumb completion *'],
    ['plumb diff --f', '*plumb diff --from *'],
    ['plumb diff --from=w', '*plumb diff --from=working-tree *'],
    ['plumb build app', '*plumb build app*s/*'],
    ['plumb diff kus', '*plumb diff kustomization *'],
    ['plumb diff ks inf', '*plumb diff ks infra *'],
    ['plumb events --for kustomization/a', '*kustomization/apps *'],
    ['plumb get -n flux', '*plumb get -n flux-system *'],
  ];
  const steps = typed.map(
    ([line, screen]) => `zpty -w -n z ${quote(line)}$'\\t'
zpty -r -m z seen ${quote(screen)}
print -r -- ${quote(line)}
zpty -w -n z $'\\x15'`,
  );
  const script = `zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z 'PS1=; stty columns 200; autoload -Uz compinit; compinit -u -D; source <(plumb completion zsh); print set""up'
zpty -r -m z seen '*setup*'
${steps.join('\n')}
zpty -d z`;
  const passed = run('zsh', ['-f', '-c', script]).trim().split('\n');
  assert.deepEqual(
    passed,
    typed.map(([line]) => line),
  );
});

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
