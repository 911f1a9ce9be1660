import { createEngine } from './engine/createEngine.ts';
import { ipcConnection, serveEngine } from './protocol/rpc.ts';

/** After this the process ends even when the object in hand is not finished. */
const endPatienceMs = 10_000;

// Needed to start; git, exec plugins and credential programs must not inherit it.
for (const name of Object.keys(process.env)) if (/^(VSCODE_|ELECTRON_)/.test(name)) delete process.env[name];

const connection = ipcConnection(process);
const server = serveEngine(connection, (config, host) => createEngine(config, host));

// The editor's window is gone, however it went: finish the object in hand, release the Leases, end.
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), endPatienceMs).unref();
  server.dispose().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
