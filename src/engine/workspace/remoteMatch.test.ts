import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizedRemote } from './remoteMatch.ts';

test('all spellings of one repository are the same', () => {
  const same = [
    'https://github.com/org/fleet',
    'https://github.com/org/fleet.git',
    'https://user@GitHub.com/org/fleet.git/',
    'git@github.com:org/fleet.git',
    'ssh://git@github.com/org/fleet',
    'ssh://git@ssh.github.com:443/org/fleet.git',
  ];
  assert.deepEqual([...new Set(same.map(normalizedRemote))], ['github.com/org/fleet']);
});

test('other paths, other hosts and other ports on loopback are other repositories', () => {
  const other = [
    'https://github.com/org/Fleet',
    'https://gitlab.com/org/fleet',
    'http://127.0.0.1:4001/fleet.git',
    'http://127.0.0.1:4002/fleet.git',
    'file:///srv/fleet.git',
  ];
  assert.equal(new Set(other.map(normalizedRemote)).size, other.length);
});
