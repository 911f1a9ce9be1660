import { Secret } from '../base/secret.ts';
import type { Credentials } from '../protocol/credentials.ts';
import { type CommandContext, textOption } from './command.ts';

/** Credentials from --password, then GIT_PASSWORD, then a question at the terminal whose answer is not shown. */
export function cliCredentials(ctx: CommandContext): Credentials {
  return {
    get({ purpose, host, username }, signal) {
      const given = textOption(ctx, 'password') ?? ctx.env['GIT_PASSWORD'] ?? '';
      if (given !== '') return Promise.resolve(new Secret(given));
      const question =
        purpose === 'sshKeyPassphrase'
          ? `Passphrase of ${host}: `
          : `${purpose === 'gitToken' ? 'Token' : `Password or token of ${username ?? 'the user'}`} for ${host}: `;
      return askHidden(ctx, question, signal);
    },
  };
}

async function askHidden(
  ctx: CommandContext,
  question: string,
  signal: AbortSignal | undefined,
): Promise<Secret<string> | undefined> {
  const { stdin } = process;
  if (!ctx.terminal.isInteractive || stdin.isTTY !== true) return undefined;
  ctx.terminal.err(question);
  stdin.setRawMode(true);
  stdin.resume();
  let answer = '';
  try {
    for (;;) {
      const typed = await nextKeys(signal);
      for (const character of typed) {
        if (character === '\r' || character === '\n') return answer === '' ? undefined : new Secret(answer);
        // In raw mode Ctrl-C is a character like any other.
        if (character === '\u0003' || character === '\u0004') process.kill(process.pid, 'SIGINT');
        if (character === '\u007f' || character === '\b') answer = answer.slice(0, -1);
        else if (character >= ' ') answer += character;
      }
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    ctx.terminal.err('\n');
  }
}

function nextKeys(signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      process.stdin.off('data', take);
      reject(new DOMException('cancelled', 'AbortError'));
    };
    const take = (chunk: Buffer): void => {
      signal?.removeEventListener('abort', abort);
      resolve(chunk.toString());
    };
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    process.stdin.once('data', take);
  });
}
