import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  ResponseError,
  CancellationTokenSource,
  type CancellationToken,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { Logger } from '../base/logger.ts';
import { asPlumbError, plumbError, plumbErrorFromJson, type PlumbErrorJson } from '../base/plumbError.ts';
import type { CredentialRequest, Credentials } from './credentials.ts';
import type { CallOptions, DocumentText, Engine, EngineConfig } from './engine.ts';
import { argumentCounts, everyRequest, requestNames, type RequestName } from './engineRequests.ts';
import type { EngineEvent } from './events.ts';
import { EventSender, type LogThreshold } from './eventSender.ts';
import { revealForEngine, secretFromHost } from './secretCodec.ts';

interface RequestParams {
  readonly args: readonly unknown[];
}
type Request = (...args: readonly unknown[]) => Promise<unknown>;

/** The engine's error as JSON-RPC's `data`; the code says nothing beyond "an engine error". */
const engineErrorCode = -32_000;

/** The connection over a child's IPC channel, or in the child over its own. Not listening yet. */
export function ipcConnection(channel: ConstructorParameters<typeof IPCMessageReader>[0]): MessageConnection {
  return createMessageConnection(new IPCMessageReader(channel), new IPCMessageWriter(channel));
}

/** What the process that started the engine does for it. */
export interface EngineHost {
  readonly log: Logger;
  readonly credentials: Credentials;
}

/**
 * Answers the other side with the engine that `start` makes of the config it sends first.
 * `dispose` ends the engine, if it was started.
 */
export function serveEngine(
  connection: MessageConnection,
  start: (config: EngineConfig, host: EngineHost) => Engine | Promise<Engine>,
): { dispose(): Promise<void> } {
  let engine: Engine | undefined;
  const events = new EventSender((sent) => void connection.sendNotification('events', sent));
  const running = (): Engine => {
    if (engine === undefined) throw plumbError('Internal', { message: 'the engine was called before start' });
    return engine;
  };
  const answer = (name: string, work: (args: readonly unknown[], signal: AbortSignal) => unknown): void => {
    connection.onRequest(name, ({ args }: RequestParams, token: CancellationToken) =>
      settled(token, (signal) => work(args, signal)).finally(() => events.flush()),
    );
  };

  answer('start', async ([config]) => {
    if (engine !== undefined) throw plumbError('Internal', { message: 'the engine was started twice' });
    engine = await start(config as EngineConfig, {
      log: events.log,
      credentials: hostCredentials(connection),
    });
    engine.onEvent((event) => events.add(event));
  });
  for (const name of requestNames)
    answer(name, (args, signal) => (running()[name] as Request)(...args, { signal } satisfies CallOptions));
  answer('dispose', () => engine?.dispose());
  connection.onNotification('logThreshold', ({ threshold }: { threshold: LogThreshold }) => {
    events.threshold = threshold;
  });
  connection.onNotification('documents/open', (document: DocumentText) => engine?.documents.open(document));
  connection.onNotification('documents/change', (document: DocumentText) =>
    engine?.documents.change(document),
  );
  connection.onNotification('documents/close', ({ uri }: { uri: string }) => engine?.documents.close(uri));
  connection.onNotification('workspaceChanged', ({ paths }: { paths: readonly string[] }) =>
    engine?.workspaceChanged(paths),
  );
  connection.listen();
  return { dispose: async () => engine?.dispose() };
}

/** The host's credentials, asked for each time: nothing is kept on this side of the pipe. */
function hostCredentials(connection: MessageConnection): Credentials {
  return {
    get: async (request, signal) =>
      secretFromHost(await send(connection, 'credentials/get', [request], signal)),
  };
}

async function settled(token: CancellationToken, work: (signal: AbortSignal) => unknown): Promise<unknown> {
  const controller = new AbortController();
  const subscription = token.onCancellationRequested(() => controller.abort());
  try {
    return (await work(controller.signal)) ?? null;
  } catch (error) {
    const plumb = asPlumbError(error);
    throw new ResponseError(engineErrorCode, plumb.message, plumb.toJSON());
  } finally {
    subscription.dispose();
  }
}

/** An engine on the other side of a connection. */
export interface RemoteEngine extends Engine {
  /** Sends the config; to be awaited before anything else is called. */
  start(config: EngineConfig): Promise<void>;
  /** Which log lines the engine sends; `info` and above until it is told. */
  setLogThreshold(threshold: LogThreshold): void;
}

/** The engine that the other side serves. Its errors arrive as the PlumbErrors they were; it may ask for credentials. */
export function remoteEngine(connection: MessageConnection, credentials?: Credentials): RemoteEngine {
  connection.onRequest('credentials/get', ({ args }: RequestParams, token: CancellationToken) =>
    settled(token, async (signal) =>
      revealForEngine(await credentials?.get(args[0] as CredentialRequest, signal)),
    ),
  );
  const listeners = new Set<(event: EngineEvent) => void>();
  connection.onNotification('events', (events: readonly EngineEvent[]) => {
    for (const event of events) listeners.forEach((listener) => listener(event));
  });
  const notify = (name: string, params: unknown): void => void connection.sendNotification(name, params);
  connection.listen();
  return {
    ...everyRequest(
      (name) =>
        (...args) =>
          call(connection, name, args),
    ),
    start: async (config) => void (await send(connection, 'start', [config])),
    setLogThreshold: (threshold) => notify('logThreshold', { threshold }),
    documents: {
      open: (document) => notify('documents/open', document),
      change: (document) => notify('documents/change', document),
      close: (uri) => notify('documents/close', { uri }),
    },
    workspaceChanged: (paths) => notify('workspaceChanged', { paths }),
    onEvent: (listener) => {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
    dispose: async () => void (await send(connection, 'dispose', [])),
  };
}

function call(connection: MessageConnection, name: RequestName, args: readonly unknown[]): Promise<unknown> {
  const count = argumentCounts[name];
  const options = args[count] as CallOptions | undefined;
  return send(
    connection,
    name,
    Array.from({ length: count }, (_, index) => args[index]),
    options?.signal,
  );
}

async function send(
  connection: MessageConnection,
  name: string,
  args: readonly unknown[],
  signal?: AbortSignal,
): Promise<unknown> {
  const source = new CancellationTokenSource();
  const cancel = (): void => source.cancel();
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await connection.sendRequest(name, { args } satisfies RequestParams, source.token);
  } catch (error) {
    throw localError(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    source.dispose();
  }
}

function localError(error: unknown): Error {
  if (error instanceof ResponseError && error.code === engineErrorCode)
    return plumbErrorFromJson(error.data as PlumbErrorJson);
  return plumbError('Internal', {
    message: `the engine could not be asked: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
