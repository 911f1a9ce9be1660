/** A process that starts a sandbox and then does nothing: the test kills it. Prints folder and state as one line of JSON. */
import { writeSync } from 'node:fs';
import { ensureSandboxPrograms } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { startSandbox } from '../../src/clients/sandbox/startSandbox.ts';

const { folder, state } = await startSandbox({ programs: await ensureSandboxPrograms() });
writeSync(1, `${JSON.stringify({ folder, state })}\n`);
setInterval(() => undefined, 60_000);
