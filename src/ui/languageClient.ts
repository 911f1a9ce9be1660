import { fork } from 'node:child_process';
import type * as vscode from 'vscode';
import {
  IPCMessageReader,
  IPCMessageWriter,
  LanguageClient,
  type MessageTransports,
} from 'vscode-languageclient/node';
import { languageServerEnvironment } from './model/childEnvironment.ts';

export interface LanguageClientOptions {
  /** The language server's bundle. */
  readonly modulePath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly channel: vscode.LogOutputChannel;
}

/** A bundle of its own, loaded after activation: it is several times the size of all the rest. */
export interface LanguageClientModule {
  startLanguageClient(options: LanguageClientOptions): Promise<vscode.Disposable>;
}

/** Starts the language server, also in untrusted workspaces: it gets no credentials and has no network. */
export async function startLanguageClient(options: LanguageClientOptions): Promise<vscode.Disposable> {
  const client = new LanguageClient(
    'plumb',
    'Plumb Language Server',
    () => Promise.resolve(startServer(options)),
    {
      documentSelector: [
        { scheme: 'file', language: 'yaml' },
        { scheme: 'file', pattern: '**/Kustomization' },
      ],
      outputChannel: options.channel,
      diagnosticCollectionName: 'plumb',
    },
  );
  await client.start();
  return { dispose: () => void client.dispose() };
}

function startServer({ modulePath, env }: LanguageClientOptions): MessageTransports {
  const server = fork(modulePath, [], {
    execArgv: ['--max-old-space-size=1024'],
    env: languageServerEnvironment(env),
    // Its standard streams would be ours, which nobody reads.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return { reader: new IPCMessageReader(server), writer: new IPCMessageWriter(server), detached: false };
}
