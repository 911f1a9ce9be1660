import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { editYaml } from '../../kube/editYaml.ts';
import { parsePlainYaml } from '../../kube/plainYaml.ts';

/** What the kubeconfig holds of an auth-provider's login. */
export type ProviderConfig = Readonly<Record<string, string | undefined>>;

/** The login of an auth-provider where it is kept: in its user's kubeconfig, which other programs renew too. */
export interface StoredLogin {
  /** As it is now; undefined where the file no longer holds it. */
  read(): Promise<ProviderConfig | undefined>;
  /** Puts these values in place of the old ones, as kubectl does; comments and order stay. Throws KubeconfigInvalid. */
  write(values: Readonly<Record<string, string>>): Promise<void>;
}

/** The login of the first user of that name in the file. */
export function storedLogin(file: string, userName: string): StoredLogin {
  return {
    async read() {
      const parsed = parsePlainYaml(await readFile(file, 'utf8'));
      if ('problem' in parsed || !isJsonObject(parsed.value)) return undefined;
      const index = indexOfUser(parsed.value, userName);
      const config = index < 0 ? undefined : configOf(parsed.value, index);
      return config as ProviderConfig | undefined;
    },
    async write(values) {
      try {
        await whileLocked(file, () => replaceValues(file, userName, values));
      } catch (error) {
        throw plumbError('KubeconfigInvalid', {
          message: `${file}: the renewed login could not be written: ${(error as Error).message}`,
          hint: 'make the file writable, or log in again when the next program asks for it: the old refresh-token may be used up',
          cause: error,
        });
      }
    },
  };
}

async function replaceValues(
  file: string,
  userName: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const text = await readFile(file, 'utf8');
  const parsed = parsePlainYaml(text);
  const document = 'problem' in parsed || !isJsonObject(parsed.value) ? {} : parsed.value;
  const index = indexOfUser(document, userName);
  if (index < 0 || configOf(document, index) === undefined)
    throw new Error(`the user ${userName} has no auth-provider there any more`);
  const path = ['users', index, 'user', 'auth-provider', 'config'];
  const edits = Object.entries(values).map(([key, value]) => ({ path: [...path, key], value }));
  await replaceFile(await realpath(file), editYaml(text, edits));
}

function indexOfUser(document: JsonObject, userName: string): number {
  const { users } = document;
  return Array.isArray(users)
    ? users.findIndex((entry) => isJsonObject(entry) && entry['name'] === userName)
    : -1;
}

function configOf(document: JsonObject, index: number): JsonObject | undefined {
  const entry = (document['users'] as readonly JsonObject[])[index];
  const user = isJsonObject(entry?.['user']) ? entry['user'] : {};
  const provider = isJsonObject(user['auth-provider']) ? user['auth-provider'] : {};
  return isJsonObject(provider['config']) ? provider['config'] : undefined;
}

/** kubectl's own lock: a file beside the kubeconfig, which whoever made it removes. */
async function whileLocked(file: string, work: () => Promise<void>): Promise<void> {
  const lock = `${file}.lock`;
  await (await open(lock, 'wx', 0o600)).close();
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Whole or not at all, with the mode it had. */
async function replaceFile(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  const unfinished = `${path}.plumb-${process.pid}`;
  try {
    const handle = await open(unfinished, 'wx', mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
