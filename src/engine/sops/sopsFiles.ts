import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';
import type { AgeIdentity } from '../../clients/kms/ageKeys.ts';
import type { KeyRing } from '../../clients/kms/keyRing.ts';
import { parsePgpKeys } from '../../clients/kms/pgpKeys.ts';
import { withOwnClouds } from '../../clients/kms/userClouds.ts';
import { loadUserKeys, ownKeyPlaces, type UserKeys } from '../../clients/kms/userKeys.ts';
import { ageGroup, creationRuleFor, type CreationRule } from '../../lib/sops/creationRules.ts';
import { defaultCryptRule } from '../../lib/sops/cryptRules.ts';
import { formatOfPath, type SopsFormat } from '../../lib/sops/sopsFormat.ts';
import { closeEncrypted, encryptNew, openEncrypted, type OpenedFile, timeText } from './encryptedFile.ts';
import { withMemoryFile } from './memoryFile.ts';

/** What the commands on encrypted files share. */
export interface SopsOptions {
  /** The format; by the file's ending when absent. */
  readonly format?: SopsFormat;
  /** Files with private or public keys besides the user's own: age identities, SSH keys, armored PGP keys. */
  readonly keyFiles: readonly string[];
  readonly signal: AbortSignal;
}

/** The plain text of an encrypted file, and what is wrong with its MAC. Writes nothing. Throws DecryptionFailed. */
export async function decryptPath(
  path: string,
  options: SopsOptions,
): Promise<{ readonly plain: Uint8Array; readonly warning?: string }> {
  const opened = await openPath(path, options);
  return { plain: opened.plain, ...macWarning(path, opened.mac) };
}

export interface EncryptOptions extends SopsOptions {
  /** age recipients; without any the creation rules of `.sops.yaml` decide. */
  readonly recipients: readonly string[];
  readonly encryptedRegex?: string;
}

/** The encrypted text of a plain file. Writes nothing. Throws DecryptionFailed. */
export async function encryptPath(path: string, options: EncryptOptions): Promise<Uint8Array> {
  const content = await readContent(path);
  const { ring: own } = await ownKeys();
  const ring = await ringOf(options.keyFiles, own);
  const nowMs = Date.now();
  const rule =
    options.recipients.length > 0
      ? {
          keyGroups: [ageGroup(options.recipients)],
          shamirThreshold: 0,
          rule: defaultCryptRule,
          macOnlyEncrypted: false,
        }
      : await ruleFor(path, timeText(nowMs));
  return encryptNew(content, options.format ?? formatOfPath(path), withRegex(rule, options.encryptedRegex), {
    ring,
    nowMs,
    signal: options.signal,
  });
}

/** Lets the user edit the plain text, which lies in memory only, and encrypts what changed. Throws DecryptionFailed. */
export async function editPath(
  path: string,
  edit: (memoryFile: string) => Promise<void>,
  options: SopsOptions,
): Promise<{ readonly changed: boolean; readonly warning?: string }> {
  const opened = await openPath(path, options);
  const edited = await withMemoryFile(path, opened.plain, edit);
  const changed = !Buffer.from(opened.plain).equals(edited);
  if (changed) await replaceFile(path, closeEncrypted(opened, edited, Date.now()));
  return { changed, ...macWarning(path, opened.mac) };
}

/** Puts the content in the place of a file in one step; its permissions stay. */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const { mode } = await stat(path);
  const unfinished = `${path}.plumb-${process.pid}`;
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(unfinished, mode & 0o777);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Decrypts the file with the user's keys and those named. Throws DecryptionFailed. */
export async function openPath(
  path: string,
  { format, keyFiles, signal }: SopsOptions,
): Promise<OpenedFile & { readonly content: Uint8Array }> {
  const content = await readContent(path);
  const keys = await ownKeys();
  const ring = await ringOf(keyFiles, keys.ring);
  try {
    return { ...(await openEncrypted(content, format ?? formatOfPath(path), ring, signal)), content };
  } catch (error) {
    if (!(error instanceof Error) || keys.problems.length === 0) throw error;
    throw plumbError('DecryptionFailed', {
      message: `${error.message} (keys that could not be used: ${keys.problems.join('; ')})`,
      hint: 'correct or remove these keys, or name another with --key',
      cause: error,
    });
  }
}

/** What is wrong with the MAC of the file at the path. */
export function macWarning(
  path: string,
  mac: 'match' | 'mismatch' | 'missing',
): { readonly warning?: string } {
  if (mac === 'match') return {};
  return {
    warning:
      mac === 'missing'
        ? `${path} has no MAC: nobody can tell whether a value was changed`
        : `the MAC of ${path} does not match: a value was changed, moved or removed without sops`,
  };
}

/** Who runs a command on a file asks for the file to be opened: with their keys and with their logins. */
async function ownKeys(): Promise<UserKeys> {
  const places = ownKeyPlaces();
  const { ring, problems } = await loadUserKeys(places);
  return { ring: withOwnClouds(ring, places), problems };
}

async function ringOf(keyFiles: readonly string[], own: KeyRing): Promise<KeyRing> {
  const age: AgeIdentity[] = [];
  const pgp: KeyRing['pgp'][number][] = [];
  const { parseAgeIdentities, sshIdentityOf } = await import('../../clients/kms/ageKeys.ts');
  for (const file of keyFiles) {
    const text = Buffer.from(await readContent(file)).toString();
    if (text.includes('BEGIN PGP')) pgp.push(...(await parsePgpKeys(text)));
    else if (text.includes('PRIVATE KEY-----')) age.push(sshIdentityOf(text));
    else age.push(...parseAgeIdentities(text));
  }
  return { ...own, age: [...age, ...own.age], pgp: [...pgp, ...own.pgp] };
}

/** The rule of the nearest `.sops.yaml` above the file. */
async function ruleFor(path: string, now: string): Promise<CreationRule> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const text = await readFile(join(folder, '.sops.yaml'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return creationRuleFor(text, relative(folder, path).split(sep).join('/'), now);
    if (folder === dirname(folder)) break;
  }
  throw plumbError('DecryptionFailed', {
    message: 'no .sops.yaml in the folder of the file or above it says whom to encrypt for',
    hint: 'write one with creation_rules, or name recipients with --age',
  });
}

function withRegex(rule: CreationRule, pattern: string | undefined): CreationRule {
  return pattern === undefined ? rule : { ...rule, rule: { name: 'encrypted_regex', pattern } };
}

/** Throws InvalidPath. */
export async function readContent(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw plumbError('InvalidPath', { message: `${path} cannot be read (${code})`, cause });
  }
}
