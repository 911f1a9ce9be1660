import { loggerTo, type Logger, type LogLevel } from '../base/logger.ts';
import type { EngineEvent } from './events.ts';

/** Log lines below this are not sent; `off` sends none. */
export type LogThreshold = LogLevel | 'off';

const ranks: Readonly<Record<LogThreshold, number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
/** Long enough for the events of a run that goes on, too short for anybody to notice. */
const gatherMs = 5;

/** The engine's events on their way out: those of one moment go in one message, for each message costs more than its content. */
export class EventSender {
  readonly #send: (events: readonly EngineEvent[]) => void;
  #waiting: EngineEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Until the host says what it shows. */
  threshold: LogThreshold = 'info';
  /** Writes into the host's log. */
  readonly log: Logger = loggerTo((entry) => {
    if (ranks[entry.level] >= ranks[this.threshold]) this.add({ type: 'log', entry });
  });

  constructor(send: (events: readonly EngineEvent[]) => void) {
    this.#send = send;
  }

  add(event: EngineEvent): void {
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Sends what waits now: before an answer, which must not overtake the events that led to it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#send(events);
  }
}
