// What the person in front of the terminal reads.
const isTerminal = process.stdout.isTTY === true;
const bold = (text: string): string => (isTerminal ? `\u001b[1m${text}\u001b[22m` : text);
const dim = (text: string): string => (isTerminal ? `\u001b[2m${text}\u001b[22m` : text);

export function heading(text: string): void {
  process.stdout.write(`\n${bold(`● ${text}`)}\n`);
}

export function note(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

/** The command line that is about to run, as a user would type it. */
export function typed(words: readonly string[]): void {
  process.stdout.write(`${dim('$')} plumb ${words.join(' ')}\n`);
}

export interface ProgressLine {
  update(message: string): void;
  done(): void;
}

/** One line that says what is being done and for how long: rewritten at a terminal, a line a change in a pipe. */
export function progressLine(what: string): ProgressLine {
  const started = Date.now();
  let shown = '';
  let told = '';
  const elapsed = (): string => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  const draw = (): void => {
    if (isTerminal) process.stdout.write(`\r\u001b[K  ${what}: ${shown} ${dim(elapsed())}`);
  };
  const timer = setInterval(draw, 500);
  timer.unref();
  return {
    update(message) {
      shown = message;
      if (isTerminal) return draw();
      // Times inside the message change all the time; a pipe gets a line for each new step only.
      const step = message.replace(/[\d.]+ ?(s|min|m)\b/g, '');
      if (step !== told) process.stdout.write(`  ${what}: ${message} (${elapsed()})\n`);
      told = step;
    },
    done() {
      clearInterval(timer);
      process.stdout.write(`${isTerminal ? '\r\u001b[K' : ''}  ${what}: ready in ${elapsed()}\n`);
    },
  };
}
