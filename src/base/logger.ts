export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Data that goes with a log line. Secrets never do: `Secret` prints itself as `[redacted]`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Constant messages, data in fields; the sink decides the form. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A Logger that hands every entry to one function. */
export function loggerTo(sink: (entry: LogEntry) => void): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      sink({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A Logger that drops everything. */
export const silentLogger: Logger = loggerTo(() => undefined);
