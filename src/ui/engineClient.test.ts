import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import * as rpc from '../protocol/rpc.ts';
import { createEngineClient, type EngineClient } from './engineClient.ts';
import type { EngineState } from './model/statusText.ts';

const modulePath = join(import.meta.dirname, '../../test/editor/fragileEngine.ts');
const ref = { group: '', version: 'v1', kind: 'ConfigMap', name: 'a' };

interface Watched {
  readonly client: EngineClient;
  /** Resolves when the state has been entered that many times. */
  entered(type: EngineState['type'], times: number): Promise<void>;
}

async function withClient(work: (watched: Watched) => Promise<void>): Promise<void> {
  const states: EngineState['type'][] = [];
  let notify = (): void => undefined;
  const client = createEngineClient({
    modulePath,
    loadRpc: () => rpc,
    config: () => ({ folders: ['/work'], schedule: 'continuous' }),
    env: () => ({ ...process.env, VSCODE_PID: '12', NODE_TEST_CONTEXT: undefined }),
    log: silentLogger,
    credentials: { get: async () => undefined },
    onStateChange: ({ type }) => {
      states.push(type);
      notify();
    },
  });
  const entered = (type: EngineState['type'], times: number): Promise<void> =>
    new Promise((done) => {
      notify = () => {
        if (states.filter((state) => state === type).length >= times) done();
      };
      notify();
    });
  try {
    await work({ client, entered });
  } finally {
    await client.dispose();
  }
}

describe('the engine client', () => {
  it('starts the engine at the first call, without what the editor set for itself', async () => {
    await withClient(async ({ client }) => {
      assert.deepEqual((await client.status()).folders, ['/work', '1', 'none']);
    });
  });

  it('starts it again when it dies and replays the open documents', async () => {
    await withClient(async ({ client, entered }) => {
      client.documents.open({ uri: 'file:///a', version: 1, text: 'one' });
      await client.status();
      client.documents.change({ uri: 'file:///a', version: 2, text: 'two' });
      await assert.rejects(client.tree(), { code: 'EngineStopped' });
      await entered('running', 2);
      assert.deepEqual(await client.render(ref), [{ ref, yaml: 'file:///a=two' }]);
    });
  });

  it('restarts with the same documents when asked', async () => {
    await withClient(async ({ client }) => {
      client.documents.open({ uri: 'file:///a', version: 1, text: 'one' });
      await client.status();
      await client.restart();
      assert.equal((await client.render(ref)).length, 1);
    });
  });

  it('answers nothing after dispose', async () => {
    await withClient(async ({ client }) => {
      await client.status();
      await client.dispose();
      await assert.rejects(client.status(), { code: 'EngineStopped' });
    });
  });
});
