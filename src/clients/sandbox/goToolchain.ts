import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A Go that can build the sandbox. */
export interface GoToolchain {
  readonly program: string;
  /** `go1.26.8` */
  readonly version: string;
  /** Set where the program must not choose its toolchain itself. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What sandbox/go.mod asks for. */
export const neededGo = '1.26';

const usualPlaces = ['go', '/usr/local/go/bin/go', '/opt/homebrew/bin/go', '/usr/local/bin/go'];

/**
 * The first Go found that is new enough for `sourceFolder`, on the PATH before the usual places; what was seen otherwise.
 * `PLUMB_GO` names the only one that counts.
 */
export async function findGo(
  sourceFolder: string,
  places: readonly string[] = placesOf(process.env['PLUMB_GO'] ?? ''),
): Promise<{ readonly go?: GoToolchain; readonly seen: readonly string[] }> {
  const seen: string[] = [];
  for (const program of places) {
    // As the user set it up, an older Go may fetch the one that go.mod names; `auto` makes it try.
    for (const environment of [{}, { GOTOOLCHAIN: 'auto' }]) {
      const version = await versionOf(program, sourceFolder, environment);
      if (version === undefined) continue;
      if (isNewEnough(version)) return { go: { program, version, environment }, seen };
      seen.push(`${program} (${version})`);
    }
  }
  return { seen: [...new Set(seen)] };
}

function placesOf(chosen: string): readonly string[] {
  return chosen === '' ? usualPlaces : [chosen];
}

/** The version the program would build `sourceFolder` with; its own one when that is too old; undefined when it is no Go. */
async function versionOf(
  program: string,
  sourceFolder: string,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const env = { ...process.env, ...environment, GOWORK: 'off', GOFLAGS: '' };
  const ask = async (cwd: string, extra: Readonly<Record<string, string>>): Promise<string> =>
    (
      await promisify(execFile)(program, ['env', 'GOVERSION'], { cwd, env: { ...env, ...extra } })
    ).stdout.trim();
  try {
    return await ask(sourceFolder, {});
  } catch {
    // Not there, or too old for go.mod: outside of the module it tells its own version.
    return ask('/', { GOTOOLCHAIN: 'local' }).catch(() => undefined);
  }
}

/** `go1.26.0` and later; development versions (`devel go1.27-…`) by the number in them. */
export function isNewEnough(version: string, needed = neededGo): boolean {
  const numbers = /go(\d+)\.(\d+)/.exec(version);
  if (numbers === null) return false;
  const [major = 0, minor = 0] = needed.split('.').map(Number);
  const [, foundMajor, foundMinor] = numbers.map(Number);
  if (foundMajor === undefined || foundMinor === undefined) return false;
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
