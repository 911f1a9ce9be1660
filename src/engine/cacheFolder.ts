import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where fetched things are kept between runs, where the configuration does not say. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plumb');
}
