import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../../src/base/digest.ts';
import { withFileLock } from '../../src/clients/sandbox/fileLock.ts';

/**
 * Runs the work while no other test file does the same on that server: local mode takes the Leases of the installation, of
 * which a cluster has one set, and test files share a cluster.
 */
export function withOnlyLocalMode<T>(server: string, work: () => Promise<T>): Promise<T> {
  return withFileLock(join(tmpdir(), `plumb-local-mode-${sha256Hex(server).slice(0, 12)}.lock`), work);
}
