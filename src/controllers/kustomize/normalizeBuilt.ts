import type { Diagnosed, Diagnostic } from '../../base/diagnostic.ts';
import { isJsonObject } from '../../base/json.ts';
import type { BuiltObject, Origins } from '../../kube/builtObject.ts';
import { formatRef, refOf, type KubeObject } from '../../kube/object.ts';
import { normalizeObject } from '../../ssa/normalize.ts';

/**
 * The objects in the form in which kustomize-controller sends them. A field that the kind does not have is lost on the way, as it
 * is upstream, but told at the line that set it.
 */
export function normalizeBuilt(objects: readonly BuiltObject[]): Diagnosed<readonly BuiltObject[]> {
  const diagnostics: Diagnostic[] = [];
  const value = objects.map((built): BuiltObject => {
    const { object, dropped } = normalizeObject(built.object);
    for (const pointer of dropped) diagnostics.push(...lostField(built, pointer));
    return { ...built, object, origins: withStringData(built) };
  });
  return { value, diagnostics };
}

function lostField({ object, origins }: BuiltObject, pointer: string): readonly Diagnostic[] {
  const origin = origins.at(pointer);
  if (origin === undefined) return [];
  return [
    {
      code: 'unknown-field',
      severity: 'warning',
      message: `${pointer} is not a field of ${object.kind}: ${formatRef(refOf(object))} is applied without it`,
      path: origin.path,
      range: origin.range,
      hint: 'correct the name or the indentation; Flux drops the field without a word',
    },
  ];
}

/** The entries of stringData are found under data from here on. */
function withStringData({ object, origins }: BuiltObject): Origins {
  const texts = stringDataOf(object);
  if (texts === undefined) return origins;
  const lineOf = (pointer: string): string => {
    const [, member, name] = pointer.split('/');
    return member === 'data' && name !== undefined && name in texts ? `/stringData/${name}` : pointer;
  };
  return {
    at: (pointer) => origins.at(lineOf(pointer)),
    *entries() {
      for (const [pointer, origin] of origins.entries()) {
        const isHidden = lineOf(pointer) !== pointer;
        if (!isHidden) yield [pointer.replace(/^\/stringData\//, '/data/'), origin];
      }
    },
  };
}

function stringDataOf({ apiVersion, kind, stringData }: KubeObject): object | undefined {
  return apiVersion === 'v1' && kind === 'Secret' && isJsonObject(stringData) ? stringData : undefined;
}
