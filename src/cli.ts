#!/usr/bin/env node
import { nodeRefusal } from './cli/nodeVersion.ts';
import { runCli } from './cli/runCli.ts';
import { processTerminal } from './cli/terminal.ts';

const abort = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The first signal cancels: what is being written is finished. The second one means now.
    if (++interrupts > 1) process.exit(130);
    abort.abort();
  });
}

const refusal = nodeRefusal(process.versions.node);
if (refusal === undefined) {
  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    signal: abort.signal,
    env: process.env,
    cwd: process.cwd(),
    terminal: processTerminal,
  });
} else {
  process.stderr.write(refusal);
  process.exitCode = 2;
}
