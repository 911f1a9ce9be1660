import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { type ComponentName, componentNames, type Programs } from './components.ts';
import { type BuildOptions, ensureGoBinary } from './goBinary.ts';
import { neededGo } from './goToolchain.ts';
import { checkoutFolder } from './places.ts';

const kubernetesVersion = 'v1.36.3';

/**
 * The programs of the sandbox, built on first use in 5 to 10 minutes; where they cannot be, etcd and the API server of
 * `KUBEBUILDER_ASSETS` alone (see `missingComponents`). Throws SandboxFailed, or NotFound outside of a checkout.
 */
export async function ensureSandboxPrograms(options: BuildOptions = {}): Promise<Programs> {
  const recipe = {
    name: 'sandbox',
    folder: join(checkoutFolder(), 'sandbox'),
    target: '.',
    ldflags: versionFlags(kubernetesVersion),
  };
  try {
    const binary = await ensureGoBinary(recipe, options);
    return Object.fromEntries(componentNames.map((name) => [name, [binary, name]]));
  } catch (error) {
    if (!isPlumbError(error, 'SandboxFailed')) throw error;
    const assets = assetPrograms(process.env['KUBEBUILDER_ASSETS'] ?? '');
    if (assets !== undefined) return assets;
    const { hint = 'see the message' } = error;
    throw plumbError('SandboxFailed', {
      ...error.details,
      hint: `${hint}; for an API server without controllers set KUBEBUILDER_ASSETS`,
    });
  }
}

/** `ensureSandboxPrograms` for those who need all components: the suites and the demo. Throws SandboxFailed without. */
export async function ensureWholeSandbox(options: BuildOptions = {}): Promise<Programs> {
  const programs = await ensureSandboxPrograms(options);
  const missing = missingComponents(programs);
  if (missing.length === 0) return programs;
  throw plumbError('SandboxFailed', {
    message: `KUBEBUILDER_ASSETS has no ${missing.join(', ')}, so nothing would become ready`,
    hint: `install Go ${neededGo} from https://go.dev/dl, with which the whole sandbox is built`,
  });
}

/** Minors that the sandbox's own API server cannot show; a folder holds the go.mod of an API server of each. */
const olderMinors = ['1.31', '1.32'] as const;
export type OlderMinor = (typeof olderMinors)[number];

/** Tells whether `ensureOlderApiServer` is for that Kubernetes; the sandbox shows others itself (`emulate`). */
export function isOlderMinor(minor: string): minor is OlderMinor {
  return olderMinors.some((older) => older === minor);
}

/**
 * etcd of the sandbox and the real API server of an older Kubernetes, built from its Go module on first use in some minutes.
 * No controllers: Deployments do not become available there. Throws SandboxFailed.
 */
export async function ensureOlderApiServer(minor: OlderMinor, options: BuildOptions = {}): Promise<Programs> {
  const folder = join(checkoutFolder(), 'sandbox', 'kubernetes', minor);
  const [, version = ''] =
    /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(await readFile(join(folder, 'go.mod'), 'utf8')) ?? [];
  const { etcd = [] } = await ensureSandboxPrograms(options);
  const apiserver = await ensureGoBinary(
    { name: `kube-apiserver-${minor}`, folder, target: '.', ldflags: versionFlags(version) },
    options,
  );
  return { etcd, apiserver: [apiserver] };
}

/** What upstream's own build puts into its programs: without it they say that they are v0.0.0. */
function versionFlags(version: string): string[] {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const stamp = 'k8s.io/component-base/version';
  return [
    `-X ${stamp}.gitVersion=${version}`,
    `-X ${stamp}.gitMajor=${major}`,
    `-X ${stamp}.gitMinor=${minor}`,
  ];
}

/** The components that these programs lack. Without all five Deployments do not become available. */
export function missingComponents(programs: Programs): ComponentName[] {
  return componentNames.filter((name) => programs[name] === undefined);
}

/**
 * Ends a program of upstream's own build with its starter, as ours end by themselves: when the pipe on standard input closes,
 * the whole group is killed, in which nobody else is.
 */
const keeper = `exec 3<&0
"$@" 3<&- </dev/null &
program=$!
(cat <&3 >/dev/null; kill -9 0) &
exec 3<&-
wait "$program"`;

/** etcd and the API server of setup-envtest's folder, and the controllers where somebody put them beside. */
function assetPrograms(folder: string): Programs | undefined {
  const files: readonly (readonly [ComponentName, string])[] = [
    ['etcd', 'etcd'],
    ['apiserver', 'kube-apiserver'],
    ['controller-manager', 'kube-controller-manager'],
    ['scheduler', 'kube-scheduler'],
  ];
  if (folder === '') return undefined;
  const found: Programs = Object.fromEntries(
    files
      .map(([name, file]) => [name, join(folder, file)] as const)
      .filter(([, path]) => existsSync(path))
      .map(([name, path]) => [name, ['sh', '-c', keeper, 'keeper', path]] as const),
  );
  return found.etcd === undefined || found.apiserver === undefined ? undefined : found;
}
