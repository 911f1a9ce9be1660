import { homedir } from 'node:os';
import { cacheFolderOf } from '../base/cacheFolder.ts';

/** Where fetched things are kept between runs, where the configuration does not say. */
export function defaultCacheFolder(): string {
  return cacheFolderOf(process.env, homedir());
}
