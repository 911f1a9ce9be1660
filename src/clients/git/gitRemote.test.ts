import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicUrl, repositoryKey } from './gitRemote.ts';

test('addresses of one repository share a key, whatever the scheme, user, port and suffix', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['https://github.com/org/fleet', 'github.com/org/fleet'],
    ['https://GitHub.com/org/fleet.git/', 'github.com/org/fleet'],
    ['https://user:token@github.com/org/fleet.git', 'github.com/org/fleet'],
    ['ssh://git@github.com/org/fleet', 'github.com/org/fleet'],
    ['ssh://git@github.com:22/org/fleet', 'github.com/org/fleet'],
    ['ssh://git@ssh.github.com:443/org/fleet.git', 'github.com/org/fleet'],
    ['git@github.com:org/fleet.git', 'github.com/org/fleet'],
    ['http://127.0.0.1:8080/fleet.git', '127.0.0.1:8080/fleet'],
    ['https://gitlab.example/group/sub/fleet', 'gitlab.example/group/sub/fleet'],
    ['/srv/git/fleet.git', undefined],
    ['../fleet', undefined],
    ['file:///srv/git/fleet.git', undefined],
  ];
  for (const [url, key] of cases) assert.equal(repositoryKey(url), key, url);
});

test('a shown URL has no password, and a user only for SSH', () => {
  assert.equal(publicUrl('https://user:pw@host/x.git'), 'https://host/x.git');
  assert.equal(publicUrl('ssh://git:pw@host/x.git'), 'ssh://git@host/x.git');
});
