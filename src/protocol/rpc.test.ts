import assert from 'node:assert/strict';
import { MessageChannel } from 'node:worker_threads';
import { describe, it } from 'node:test';
import { createMessageConnection, PortMessageReader, PortMessageWriter } from 'vscode-jsonrpc/node';
import type { Logger } from '../base/logger.ts';
import { plumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import type { Credentials } from './credentials.ts';
import type { Engine, EngineConfig } from './engine.ts';
import type { EngineEvent } from './events.ts';
import { remoteEngine, serveEngine, type RemoteEngine } from './rpc.ts';

const ref = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' };

/** An engine behind a real message channel; calls it does not define fail. */
async function withRemote(
  engine: Partial<Engine>,
  work: (remote: RemoteEngine, emit: (event: EngineEvent) => void) => Promise<void>,
  /** What the host answers; and, once it was started, what the engine asks with. */
  host: { readonly answers?: Credentials; credentials?: Credentials; log?: Logger } = {},
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const connections = [port1, port2].map((port) =>
    createMessageConnection(new PortMessageReader(port), new PortMessageWriter(port)),
  );
  const listeners = new Set<(event: EngineEvent) => void>();
  const onEvent: Engine['onEvent'] = (listener) => {
    listeners.add(listener);
    return { dispose: () => void listeners.delete(listener) };
  };
  serveEngine(connections[0]!, (_, { credentials, log }) => {
    host.credentials = credentials;
    host.log = log;
    return { onEvent, dispose: async () => undefined, ...engine } as Engine;
  });
  const remote = remoteEngine(connections[1]!, host.answers);
  try {
    await work(remote, (event) => listeners.forEach((listener) => listener(event)));
  } finally {
    connections.forEach((connection) => connection.dispose());
    port1.close();
    port2.close();
  }
}

const config: EngineConfig = { folders: ['/work'], schedule: 'continuous' };

describe('the engine over JSON-RPC', () => {
  it('passes arguments in order and gives the result', async () => {
    const calls: unknown[] = [];
    const reconcile: Engine['reconcile'] = async (...args) => {
      calls.push(args.slice(0, 2));
      return { ref, ready: true, reason: 'ok', message: '', changeSet: [], elapsedMs: 1 };
    };
    await withRemote({ reconcile }, async (remote) => {
      await remote.start(config);
      const run = await remote.reconcile(ref, true);
      assert.equal(run.reason, 'ok');
      assert.deepEqual(calls, [[ref, true]]);
    });
  });

  it('keeps arguments in place when an optional one is left out', async () => {
    const seen: unknown[] = [];
    const suspend: Engine['suspend'] = async (subject, reason, options) => {
      seen.push(subject.name, reason, options?.signal instanceof AbortSignal);
    };
    await withRemote({ suspend }, async (remote) => {
      await remote.start(config);
      await remote.suspend(ref, undefined, {});
      assert.deepEqual(seen, ['apps', undefined, true]);
    });
  });

  it('carries integers beyond 2^53', async () => {
    const field = { pointer: '/spec/n', live: 9007199254740993n, cause: 'drifted', owners: [] } as const;
    const drift: Engine['drift'] = async (uri) => ({
      uri,
      version: 1,
      marks: [
        {
          ref,
          workload: ref,
          field,
          path: 'a.yaml',
          range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } },
        },
      ],
      onlyInCluster: [],
      onlyInGit: [],
    });
    await withRemote({ drift }, async (remote) => {
      await remote.start(config);
      assert.equal((await remote.drift('file:///a')).marks[0]?.field.live, 9007199254740993n);
    });
  });

  it('gives errors back with code, subject and hint', async () => {
    const tree: Engine['tree'] = async () => {
      throw plumbError('AccessDenied', { message: 'forbidden', subject: 'Kustomization/a/b', hint: 'ask' });
    };
    await withRemote({ tree }, async (remote) => {
      await remote.start(config);
      await assert.rejects(remote.tree(), {
        name: 'PlumbError',
        code: 'AccessDenied',
        message: 'Kustomization/a/b: forbidden',
        hint: 'ask',
      });
    });
  });

  it('turns an abort into an abort of the call', async () => {
    const controller = new AbortController();
    const status: Engine['status'] = (options) =>
      new Promise((_, fail) => {
        options?.signal?.addEventListener('abort', () => fail(options.signal?.reason as Error));
        controller.abort();
      });
    await withRemote({ status }, async (remote) => {
      await remote.start(config);
      await assert.rejects(remote.status({ signal: controller.signal }), { code: 'Cancelled' });
    });
  });

  it('sends events and documents', async () => {
    const opened = Promise.withResolvers<string>();
    const documents: Engine['documents'] = {
      open: (document) => opened.resolve(document.text),
      change: () => undefined,
      close: () => undefined,
    };
    await withRemote({ documents }, async (remote, emit) => {
      await remote.start(config);
      const event = Promise.withResolvers<EngineEvent>();
      remote.onEvent(event.resolve);
      remote.documents.open({ uri: 'file:///a', version: 1, text: 'a: 1' });
      assert.equal(await opened.promise, 'a: 1');
      emit({ type: 'treeChanged' });
      assert.deepEqual(await event.promise, { type: 'treeChanged' });
    });
  });

  it('gives the events of a call before its answer, in their order', async () => {
    let emitNow = (): void => undefined;
    const resume: Engine['resume'] = async () => emitNow();
    await withRemote({ resume }, async (remote, emit) => {
      const told: string[] = [];
      emitNow = () => {
        emit({ type: 'treeChanged' });
        emit({ type: 'driftChanged' });
      };
      await remote.start(config);
      remote.onEvent(({ type }) => told.push(type));
      await remote.resume(ref);
      assert.deepEqual(told, ['treeChanged', 'driftChanged']);
    });
  });

  it('sends log lines from the level the host shows', async () => {
    const host: { log?: Logger } = {};
    const suspend: Engine['suspend'] = async (_, reason = '') => {
      host.log?.debug(`debug ${reason}`);
      host.log?.info(`info ${reason}`);
    };
    await withRemote(
      { suspend },
      async (remote) => {
        const lines: string[] = [];
        remote.onEvent((event) => event.type === 'log' && lines.push(event.entry.message));
        await remote.start(config);
        await remote.suspend(ref, 'at first');
        remote.setLogThreshold('debug');
        await remote.suspend(ref, 'for more');
        remote.setLogThreshold('off');
        await remote.suspend(ref, 'for none');
        assert.deepEqual(lines, ['info at first', 'debug for more', 'info for more']);
      },
      host,
    );
  });

  it('brings a credential from the host to the engine, closed up on both sides', async () => {
    const asked: unknown[] = [];
    const answers: Credentials = {
      get: async (request) => {
        asked.push(request);
        return request.host === 'git.example.org' ? new Secret('word') : undefined;
      },
    };
    const host: { readonly answers: Credentials; credentials?: Credentials } = { answers };
    await withRemote(
      {},
      async (remote) => {
        await remote.start(config);
        const request = { purpose: 'gitPassword', host: 'git.example.org', username: 'me' } as const;
        const secret = await host.credentials?.get(request);
        assert.deepEqual(asked, [request]);
        assert.equal(secret?.reveal(), 'word');
        assert.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}');
        assert.equal(await host.credentials?.get({ purpose: 'gitToken', host: 'other' }), undefined);
      },
      host,
    );
  });

  it('refuses calls before start', async () => {
    await withRemote({}, async (remote) => {
      await assert.rejects(remote.status(), { code: 'Internal', message: /before start/ });
    });
  });
});
