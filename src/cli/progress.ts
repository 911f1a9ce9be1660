import type { Terminal } from './terminal.ts';

const quietMs = 15_000;

/** Tells how a long step goes, on stderr: one line that changes at a terminal, a line now and then in a pipe. */
export interface Progress {
  readonly say: (message: string) => void;
  /** Takes the changing line away. */
  readonly end: () => void;
}

export function progressOn(terminal: Terminal): Progress {
  let lastAt = -quietMs;
  let isShown = false;
  const clear = '\r\u001b[K';
  return {
    say: (message) => {
      if (terminal.isInteractive) {
        isShown = true;
        terminal.err(`${clear}${message.slice(0, terminal.columns - 1)}`);
        return;
      }
      if (performance.now() - lastAt < quietMs) return;
      lastAt = performance.now();
      terminal.err(`${message}\n`);
    },
    end: () => {
      if (isShown) terminal.err(clear);
      isShown = false;
    },
  };
}
