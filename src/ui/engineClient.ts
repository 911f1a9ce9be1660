import { fork, type ChildProcess } from 'node:child_process';
import { isPlumbError, plumbError } from '../base/plumbError.ts';
import type { Logger } from '../base/logger.ts';
import type { Credentials } from '../protocol/credentials.ts';
import type { DocumentText, Engine, EngineConfig } from '../protocol/engine.ts';
import type { EngineEvent } from '../protocol/events.ts';
import type { LogThreshold } from '../protocol/eventSender.ts';
import { everyRequest } from '../protocol/engineRequests.ts';
import type * as rpc from '../protocol/rpc.ts';
import { childEnvironment } from './model/childEnvironment.ts';
import { restartDelayMs } from './model/restartPolicy.ts';
import type { EngineState } from './model/statusText.ts';

/** The module that speaks to the child. */
export type RpcModule = typeof rpc;

export interface EngineClientOptions {
  /** The engine's bundle. */
  readonly modulePath: string;
  /** JSON-RPC, a bundle of its own: it is larger than all the rest and not needed before the engine starts. */
  readonly loadRpc: () => RpcModule;
  /** Read at every start. */
  readonly config: () => EngineConfig;
  /** Read at every start. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Asked by the engine for what stands in no kubeconfig and no Secret. */
  readonly credentials: Credentials;
  readonly onStateChange: (state: EngineState) => void;
}

/** An Engine in a child process, started at the first call, started again with open documents when it ends by itself. */
export interface EngineClient extends Engine {
  readonly state: EngineState;
  /** Which log lines the engine sends, now and after each start. */
  setLogThreshold(threshold: LogThreshold): void;
  /** Ends the child and starts a new one, with the config as it is now. */
  restart(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly remote: rpc.RemoteEngine;
  readonly close: () => void;
}

/** Makes the client; nothing is started yet. */
export function createEngineClient(options: EngineClientOptions): EngineClient {
  return new ForkedEngine(options).client();
}

const memoryLimitMb = 2048;
/**
 * V8's default lets the young generation grow to many times what the engine keeps, and does not give that back after a burst of
 * runs: measured with 200 Kustomizations, 150 MB resident instead of 250.
 */
const youngGenerationMb = 4;

/** What the engine's process is started with. */
export const engineArguments: readonly string[] = [
  `--max-old-space-size=${memoryLimitMb}`,
  `--max-semi-space-size=${youngGenerationMb}`,
];
const endPatienceMs = 10_000;

class ForkedEngine {
  readonly #options: EngineClientOptions;
  readonly #documents = new Map<string, DocumentText>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #state: EngineState = { type: 'starting' };
  #logThreshold: LogThreshold = 'info';
  #running: Promise<Running> | undefined;
  #ends: number[] = [];
  #isDisposed = false;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: EngineClientOptions) {
    this.#options = options;
  }

  client(): EngineClient {
    const requests = everyRequest((name) => async (...args) => {
      const { remote } = await this.#start();
      try {
        return await (remote[name] as (...all: readonly unknown[]) => Promise<unknown>)(...args);
      } catch (error) {
        throw this.#current === remote ? error : stopped(error);
      }
    });
    const notify = (send: (remote: rpc.RemoteEngine) => void): void => {
      // Nothing to tell an engine that does not run: it is given all documents when it starts.
      if (this.#state.type === 'running') void this.#running?.then(({ remote }) => send(remote));
    };
    const state = (): EngineState => this.#state;
    return {
      get state() {
        return state();
      },
      ...requests,
      documents: {
        open: (document) => {
          this.#documents.set(document.uri, document);
          notify((remote) => remote.documents.open(document));
        },
        change: (document) => {
          this.#documents.set(document.uri, document);
          notify((remote) => remote.documents.change(document));
        },
        close: (uri) => {
          this.#documents.delete(uri);
          notify((remote) => remote.documents.close(uri));
        },
      },
      workspaceChanged: (paths) => notify((remote) => remote.workspaceChanged(paths)),
      onEvent: (listener) => {
        this.#listeners.add(listener);
        return { dispose: () => void this.#listeners.delete(listener) };
      },
      setLogThreshold: (threshold) => {
        this.#logThreshold = threshold;
        this.#current?.setLogThreshold(threshold);
      },
      restart: async () => {
        await this.#end();
        this.#ends = [];
        await this.#start();
      },
      dispose: async () => {
        this.#isDisposed = true;
        await this.#end();
      },
    };
  }

  #current: rpc.RemoteEngine | undefined;

  #start(): Promise<Running> {
    if (this.#isDisposed || this.#state.type === 'failed') return Promise.reject(stopped(undefined));
    this.#running ??= this.#fork();
    return this.#running;
  }

  async #fork(): Promise<Running> {
    clearTimeout(this.#restartTimer);
    this.#change({ type: 'starting' });
    const child = fork(this.#options.modulePath, [], {
      execArgv: [...engineArguments],
      env: childEnvironment(this.#options.env()),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Numbers beyond 2^53 travel as they are.
      serialization: 'advanced',
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) =>
        this.#options.log.warn('engine process wrote', { text: chunk.toString().trimEnd() }),
      );
    const { ipcConnection, remoteEngine } = this.#options.loadRpc();
    const connection = ipcConnection(child);
    const remote = remoteEngine(connection, this.#options.credentials);
    const close = (): void => connection.dispose();
    this.#current = remote;
    remote.onEvent((event) => this.#listeners.forEach((listener) => listener(event)));
    child.once('error', (error) => this.#ended(remote, close, error.message));
    child.once('exit', (code, signal) =>
      this.#ended(remote, close, `the engine process ended with ${code ?? signal ?? 'no code'}`),
    );
    remote.setLogThreshold(this.#logThreshold);
    try {
      await remote.start(this.#options.config());
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    for (const document of this.#documents.values()) remote.documents.open(document);
    this.#change({ type: 'running' });
    return { child, remote, close };
  }

  #ended(remote: rpc.RemoteEngine, close: () => void, message: string): void {
    close();
    if (this.#current !== remote) return;
    this.#current = undefined;
    this.#running = undefined;
    if (this.#isDisposed) return;
    const now = Date.now();
    this.#ends.push(now);
    const delayMs = restartDelayMs(this.#ends, now);
    this.#options.log.error('engine stopped', { message, restartsInMs: delayMs ?? 'not again' });
    if (delayMs === undefined) {
      this.#change({ type: 'failed', message });
      return;
    }
    this.#change({ type: 'starting' });
    this.#restartTimer = setTimeout(() => {
      this.#start().catch((error: unknown) =>
        this.#options.log.error('engine did not start', { message: String(error) }),
      );
    }, delayMs);
  }

  /** Asks the child to finish what it has in hand; ends it when it does not. */
  async #end(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const running = await this.#running?.catch(() => undefined);
    this.#current = undefined;
    this.#running = undefined;
    if (running === undefined) return this.#change({ type: 'starting' });
    const { child, remote, close } = running;
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    const timer = setTimeout(() => child.kill('SIGKILL'), endPatienceMs);
    await remote.dispose().catch((error: unknown) => {
      this.#options.log.warn('engine did not end by itself', { message: String(error) });
    });
    close();
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await ended;
    clearTimeout(timer);
    this.#change({ type: 'starting' });
  }

  #change(state: EngineState): void {
    this.#state = state;
    if (!this.#isDisposed) this.#options.onStateChange(state);
  }
}

function stopped(cause: unknown): Error {
  if (isPlumbError(cause) && cause.code !== 'Internal') return cause;
  return plumbError('EngineStopped', {
    message: 'the engine process is not running',
    hint: 'run "Plumb: Restart Engine"; "Plumb: Show Log" says why it stopped',
    cause,
  });
}
