import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sanitizeKubeconfig } from './remoteKubeconfig.ts';

const kubeconfig = `apiVersion: v1
kind: Config
current-context: remote
contexts:
- name: remote
  context: {cluster: c, user: u, namespace: apps}
clusters:
- name: c
  cluster:
    server: https://remote.example:6443
    certificate-authority: /etc/ca.crt
    certificate-authority-data: Q0E=
    insecure-skip-tls-verify: true
users:
- name: u
  user:
    token: secret
    tokenFile: /etc/token
    client-key: /etc/key
    as: admin
    exec: {command: sh, args: [-c, id]}
    auth-provider: {name: oidc}
`;

test('files, programs, providers, impersonation and open TLS are dropped', () => {
  const policy = { allowExec: false, allowInsecureTls: false };
  assert.deepEqual(JSON.parse(sanitizeKubeconfig(kubeconfig, 'Secret/a/b', policy)), {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'remote',
    contexts: [{ name: 'remote', context: { cluster: 'c', user: 'u', namespace: 'apps' } }],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://remote.example:6443', 'certificate-authority-data': 'Q0E=' },
      },
    ],
    users: [{ name: 'u', user: { token: 'secret' } }],
  });
});

test('programs and open TLS stay where the controllers allow them', () => {
  const text = sanitizeKubeconfig(kubeconfig, 'Secret/a/b', { allowExec: true, allowInsecureTls: true });
  assert.match(text, /"exec":\{"command":"sh"/);
  assert.match(text, /"insecure-skip-tls-verify":true/);
  assert.doesNotMatch(text, /tokenFile|client-key"|auth-provider|"as"/);
});

test('what is no kubeconfig is refused with the Secret’s name', () => {
  for (const text of ['', '- a', 'a: [', 'text'])
    assert.throws(
      () => sanitizeKubeconfig(text, 'Secret/a/b', { allowExec: false, allowInsecureTls: false }),
      /^PlumbError: Secret\/a\/b: the kubeconfig is no YAML mapping/,
      text,
    );
});
