import * as vscode from 'vscode';
import { loggerTo, type LogEntry, type Logger } from '../base/logger.ts';
import type { LogThreshold } from '../protocol/eventSender.ts';

/** The "Plumb" output channel. It never opens by itself. */
export interface Log extends Logger {
  readonly channel: vscode.LogOutputChannel;
  /** The level the user chose for the channel. */
  readonly threshold: LogThreshold;
  readonly onDidChangeThreshold: vscode.Event<LogThreshold>;
  write(entry: LogEntry): void;
  show(): void;
  dispose(): void;
}

const thresholds: Readonly<Record<vscode.LogLevel, LogThreshold>> = {
  [vscode.LogLevel.Off]: 'off',
  [vscode.LogLevel.Trace]: 'debug',
  [vscode.LogLevel.Debug]: 'debug',
  [vscode.LogLevel.Info]: 'info',
  [vscode.LogLevel.Warning]: 'warn',
  [vscode.LogLevel.Error]: 'error',
};

/** Opens the channel; its level is the user's choice in the Output view. */
export function createLog(): Log {
  const channel = vscode.window.createOutputChannel('Plumb', { log: true });
  const write = ({ level, message, fields }: LogEntry): void =>
    channel[level](message, ...fieldsText(fields));
  return {
    ...loggerTo(write),
    channel,
    get threshold() {
      return thresholds[channel.logLevel];
    },
    onDidChangeThreshold: (listener, thisArgs, disposables) =>
      channel.onDidChangeLogLevel(
        (level) => listener.call(thisArgs, thresholds[level]) as unknown,
        undefined,
        disposables,
      ),
    write,
    show: () => channel.show(),
    dispose: () => channel.dispose(),
  };
}

function fieldsText(fields: LogEntry['fields']): unknown[] {
  return Object.keys(fields).length === 0 ? [] : [fields];
}
