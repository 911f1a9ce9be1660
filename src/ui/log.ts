import * as vscode from 'vscode';
import { loggerTo, type LogEntry, type Logger } from '../base/logger.ts';

/** The "Plumb" output channel. It never opens by itself. */
export interface Log extends Logger {
  readonly channel: vscode.LogOutputChannel;
  write(entry: LogEntry): void;
  show(): void;
  dispose(): void;
}

/** Opens the channel; its level is the user's choice in the Output view. */
export function createLog(): Log {
  const channel = vscode.window.createOutputChannel('Plumb', { log: true });
  const write = ({ level, message, fields }: LogEntry): void =>
    channel[level](message, ...fieldsText(fields));
  return { ...loggerTo(write), channel, write, show: () => channel.show(), dispose: () => channel.dispose() };
}

function fieldsText(fields: LogEntry['fields']): unknown[] {
  return Object.keys(fields).length === 0 ? [] : [fields];
}
