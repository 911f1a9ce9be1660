import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256Digest } from '../../base/digest.ts';
import { asPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { parseAgeIdentities, sshIdentityOf, type AgeIdentity } from './ageKeys.ts';
import type { KeyRing } from './keyRing.ts';
import type { VaultLogin } from './vaultTransit.ts';

/** The user's own keys, and what stood in the way of others: told, because a missing key may be one of those. */
export interface UserKeys {
  readonly ring: KeyRing;
  readonly problems: readonly string[];
}

/** Where keys are looked for; the process's own environment and home unless a test says otherwise. */
export interface UserKeyPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** The places of this process. */
export function ownKeyPlaces(): UserKeyPlaces {
  return { environment: process.env, home: homedir(), platform: process.platform };
}

/**
 * The keys that the sops command would find on this machine: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
 * SOPS_AGE_SSH_PRIVATE_KEY_FILE, the SSH keys id_ed25519 and id_rsa, `sops/age/keys.txt` of the configuration folder,
 * VAULT_TOKEN or `~/.vault-token`. Reads files, runs nothing: SOPS_AGE_KEY_CMD and keys of a GnuPG keyring are not
 * looked at. Logins at clouds are another matter: see userClouds.ts.
 */
export async function loadUserKeys({ environment, home, platform }: UserKeyPlaces): Promise<UserKeys> {
  const problems: string[] = [];
  const age: AgeIdentity[] = [];
  const add = (place: string, parse: () => readonly AgeIdentity[]): void => {
    try {
      age.push(...parse());
    } catch (error) {
      problems.push(`${place}: ${asPlumbError(error).message}`);
    }
  };
  const addFile = async (path: string, isNamed: boolean, parse: (text: string) => AgeIdentity[]) => {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (isNamed || error.code !== 'ENOENT')
        problems.push(`${path}: cannot be read (${error.code ?? 'unknown'})`);
      return undefined;
    });
    if (text !== undefined) add(path, () => parse(text));
  };
  const sshKey = (text: string): AgeIdentity[] => [sshIdentityOf(text)];
  const inline = environment['SOPS_AGE_KEY'];
  if (inline !== undefined)
    add('SOPS_AGE_KEY', () => parseAgeIdentities(inline.replaceAll(/(?<=\S)[ \t]+(?=AGE-)/g, '\n')));
  const file = environment['SOPS_AGE_KEY_FILE'];
  if (file !== undefined) await addFile(file, true, parseAgeIdentities);
  await addFile(
    join(configFolder(environment, home, platform), 'sops', 'age', 'keys.txt'),
    false,
    parseAgeIdentities,
  );
  const sshFile = environment['SOPS_AGE_SSH_PRIVATE_KEY_FILE'];
  if (sshFile !== undefined) await addFile(sshFile, true, sshKey);
  for (const name of ['id_ed25519', 'id_rsa']) await addFile(join(home, '.ssh', name), false, sshKey);
  const vault = await vaultLogin(environment, home);
  return {
    ring: {
      age,
      pgp: [],
      origin: 'your own keys',
      ...(vault !== undefined && { vault, loginIds: { vault: sha256Digest(vault.token.reveal()) } }),
    },
    problems,
  };
}

/**
 * The token goes to the server that the user's environment names, and to those of SOPS_HC_VAULT_ALLOWLIST. Upstream
 * sends it wherever a file says unless that list is set; a repository must not decide who gets it.
 */
async function vaultLogin(
  environment: UserKeyPlaces['environment'],
  home: string,
): Promise<VaultLogin | undefined> {
  const given = environment['VAULT_TOKEN'] ?? '';
  const text =
    given === '' ? await readFile(join(home, '.vault-token'), 'utf8').catch(() => undefined) : given;
  const token = text?.trim() ?? '';
  if (token === '') return undefined;
  const namespace = environment['VAULT_NAMESPACE'] ?? '';
  const allowed = environment['SOPS_HC_VAULT_ALLOWLIST'] ?? '';
  const listed = allowed.split(',').flatMap((address) => (address.trim() === '' ? [] : [address.trim()]));
  return {
    token: new Secret(token),
    ...(namespace !== '' && { namespace }),
    ...(allowed !== 'all' && { addresses: [environment['VAULT_ADDR'] ?? '', ...listed] }),
  };
}

function configFolder(
  environment: UserKeyPlaces['environment'],
  home: string,
  platform: NodeJS.Platform,
): string {
  const xdg = environment['XDG_CONFIG_HOME'];
  if (platform === 'win32') return environment['APPDATA'] ?? join(home, 'AppData', 'Roaming');
  if (xdg !== undefined && xdg !== '') return xdg;
  return platform === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.config');
}
