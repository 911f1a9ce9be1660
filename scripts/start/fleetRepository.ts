import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type GitHttpServer } from '../../test/servers/gitHttpServer.ts';
import { runGit } from '../../test/servers/gitRepository.ts';

const fixture = resolve(import.meta.dirname, '../../test/fixtures/fleet');

/** Pushes the sample fleet into a new bare repository and gives its URL and a clone to work in. */
export async function createFleet(
  server: GitHttpServer,
  folder: string,
): Promise<{ readonly url: string; readonly clone: string }> {
  const { url } = await server.createRepository('fleet');
  const clone = join(folder, 'fleet');
  rmSync(clone, { recursive: true, force: true });
  await runGit(folder, ['clone', '--quiet', url, clone]);
  copyFixture(clone);
  // Bootstrap writes the sync manifests itself, with the repository's real address.
  rmSync(join(clone, 'clusters/dev/flux-system'), { recursive: true, force: true });
  await commitAndPush(clone, 'Add the sample fleet');
  return { url, clone };
}

/** Puts every file of the sample fleet back as it was, except what bootstrap wrote. */
export function copyFixture(clone: string): void {
  cpSync(fixture, clone, { recursive: true, filter: (source) => !source.includes('flux-system') });
}

/** Commits whatever changed and pushes it; gives the new commit, or the present one when nothing changed. */
export async function commitAndPush(clone: string, message: string): Promise<string> {
  await runGit(clone, ['add', '--all']);
  if ((await runGit(clone, ['status', '--porcelain'])).trim() !== '') {
    await runGit(clone, [
      '-c',
      'user.name=Demo',
      '-c',
      'user.email=demo@example.com',
      'commit',
      '--quiet',
      '-m',
      message,
    ]);
  }
  await runGit(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
  return (await runGit(clone, ['rev-parse', 'HEAD'])).trim();
}

/** Takes the reports job out of the overlay for dev, as somebody would who no longer needs it. */
export function removeWorker(clone: string): void {
  const file = join(clone, 'apps/dev/kustomization.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\s*- \.\.\/base\/worker\n/m, ''));
}
