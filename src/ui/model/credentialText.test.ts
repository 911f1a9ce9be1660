import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialKey, credentialLabel, credentialQuestion } from './credentialText.ts';

const request = { purpose: 'gitPassword', host: 'git.example.org:8443', username: 'me' } as const;

test('a credential is asked for by place and user, and never shown', () => {
  assert.equal(credentialQuestion(request), 'Password or token of me for git.example.org:8443');
  assert.equal(
    credentialQuestion({ purpose: 'sshKeyPassphrase', host: '/home/me/key' }),
    'Passphrase of the key /home/me/key',
  );
});

test('what is stored is listed by the same place and user', () => {
  assert.deepEqual(credentialLabel(credentialKey(request)), {
    label: 'git.example.org:8443',
    description: 'password or token of me',
  });
  assert.deepEqual(credentialLabel(credentialKey({ purpose: 'gitToken', host: 'h' })), {
    label: 'h',
    description: 'token',
  });
  assert.notEqual(credentialKey(request), credentialKey({ ...request, username: 'you' }));
  assert.equal(credentialLabel('something else'), undefined);
});
