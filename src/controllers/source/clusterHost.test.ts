import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterHostHint } from './clusterHost.ts';

test('a port-forward is offered for what only the cluster resolves, and for nothing else', () => {
  assert.match(
    clusterHostHint('http://git.shop.svc.cluster.local./fleet') ?? '',
    /^git\.shop\.svc\.cluster\.local\. resolves only in the cluster: run kubectl port-forward -n shop service\/git 80 /,
  );
  assert.match(clusterHostHint('ssh://git@git.shop.svc:2222/fleet') ?? '', /-n shop service\/git 2222 /);
  assert.match(clusterHostHint('https://git.shop.svc/fleet') ?? '', /service\/git 443 /);
  for (const address of [
    'https://example.com/fleet',
    'https://svc.example.com',
    'git@git.shop.svc:fleet',
    '',
  ])
    assert.equal(clusterHostHint(address), undefined, address);
});
