import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRefusal } from './nodeVersion.ts';

test('a Node that is too old is refused by name, with what is needed', () => {
  assert.equal(nodeRefusal('20.20.2'), 'plumb: Node 20.20.2 is too old: run it with Node 22 or newer\n');
  for (const version of ['22.15.0', '24.21.0', '100.0.0']) assert.equal(nodeRefusal(version), undefined);
});
