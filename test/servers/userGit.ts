import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSshKey } from '../../src/clients/git/sshKey.ts';
import type { GitSshServer } from './gitSshServer.ts';

/** Makes a home folder whose git logs in to the server with a key that may push. */
export async function writeUserGit(home: string, ssh: GitSshServer): Promise<void> {
  const user = await generateSshKey('ecdsa');
  ssh.allow(user.publicKey, 'write');
  const [key, knownHosts] = [join(home, 'id'), join(home, 'known_hosts')];
  await writeFile(key, user.identity.reveal(), { mode: 0o600 });
  await writeFile(knownHosts, `${ssh.knownHosts}\n`);
  const command = `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts}`;
  await writeFile(join(home, '.gitconfig'), `[core]\n\tsshCommand = ${command}\n`);
}
