import { FileTree } from '../../../src/base/fileTree.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { isPlumbError } from '../../../src/base/plumbError.ts';
import type { Diagnostic } from '../../../src/base/diagnostic.ts';
import { prepareOverlay } from '../../../src/controllers/kustomize/overlay.ts';
import { substituteObjects } from '../../../src/controllers/kustomize/substitution.ts';
import type { Kustomization } from '../../../src/flux/api/kustomize.gen.ts';
import { buildKustomization } from '../../../src/lib/kustomize/buildKustomization.ts';
import { printBuild } from '../../../src/lib/kustomize/printBuild.ts';
import { fluxObject, type Build, type CaseOptions } from './cases.ts';

/** Printed YAML, or why the build is refused. */
export interface BuildAnswer {
  readonly output?: string;
  readonly error?: string;
}

/** What Plumb makes of a case, in the way of `kustomize build` or of kustomize-controller. */
export function buildWithPlumb(
  files: Iterable<readonly [string, Uint8Array | string]>,
  options: CaseOptions,
  build: Build,
): BuildAnswer {
  const tree = FileTree.from(files);
  try {
    return build === 'flux' ? buildAsController(tree, options) : buildAsProgram(tree, options);
  } catch (error) {
    if (isPlumbError(error)) return { error: error.message };
    throw error;
  }
}

function buildAsProgram(tree: FileTree, { path = '', loadRestrictor }: CaseOptions): BuildAnswer {
  const { objects, diagnostics, needs } = buildKustomization(tree, path, {
    loadRestrictions: loadRestrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    order: 'legacy',
    untyped: 'built',
  });
  return refusalOf(diagnostics, needs) ?? { output: printBuild(objects) };
}

function buildAsController(tree: FileTree, options: CaseOptions): BuildAnswer {
  const kustomization = fluxObject(options) as unknown as Kustomization;
  const { path = '' } = options;
  const overlay = prepareOverlay(tree, path, kustomization.spec);
  const { objects, diagnostics, needs } = buildKustomization(overlay.files, path, {
    refuseRemotes: true,
    rootChanges: overlay.rootChanges,
  });
  const refusal = refusalOf(diagnostics, needs);
  if (refusal !== undefined) return refusal;
  const substituted = substituteObjects(objects, kustomization, inlineVariables(options.spec), {
    isStrict: true,
  });
  return { output: printBuild(substituted) };
}

function inlineVariables(spec: JsonObject | undefined): ReadonlyMap<string, string> {
  const { substitute = {} } = (spec?.['postBuild'] ?? {}) as {
    substitute?: Readonly<Record<string, string>>;
  };
  return new Map(Object.entries(substitute).map(([name, value]) => [name, value.replaceAll('\n', '')]));
}

function refusalOf(
  diagnostics: readonly Diagnostic[],
  needs: readonly { readonly url: string }[],
): BuildAnswer | undefined {
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error !== undefined) return { error: `${error.path}:${error.range.start.line + 1}: ${error.message}` };
  return needs[0] === undefined ? undefined : { error: `needs ${needs[0].url}` };
}
