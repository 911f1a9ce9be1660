import { isJsonObject, stringifyJson, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Origin } from '../../base/position.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import { parseApiVersion, type KubeObject } from '../../kube/object.ts';
import type { BuiltObject, Origins } from '../../kube/builtObject.ts';
import { joinPointer } from '../../kube/jsonPointer.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { printYaml } from '../../kube/yamlPrint.ts';
import { substituteText } from '../../lib/envsubst/envsubst.ts';
import type { KustomizeContext } from './kustomizeContext.ts';

/** Values by name; newlines are taken out, as upstream does. */
export type Variables = ReadonlyMap<string, string>;

const namePattern = /^[_A-Za-z][_A-Za-z0-9]*$/;

/** Reads the variables of spec.postBuild: ConfigMaps and Secrets in order, then the inline ones. Throws BuildFailed. */
export async function loadVariables(ctx: KustomizeContext, kustomization: Kustomization): Promise<Variables> {
  const variables = new Map<string, string>();
  const set = (name: string, value: string): unknown => variables.set(name, value.replaceAll('\n', ''));
  for (const { kind, name, optional } of kustomization.spec.postBuild?.substituteFrom ?? []) {
    const namespace = kustomization.metadata.namespace ?? '';
    const answer = await ctx.cluster.get({ group: '', version: 'v1', kind, namespace, name }, ctx.signal);
    if (answer.type === 'refused') {
      if (optional === true && answer.refusal.httpStatus === 404) continue;
      throw plumbError('BuildFailed', {
        message: `post build failed: substitute from '${kind}/${name}' error: ${answer.refusal.message}`,
        hint: `create ${kind} ${namespace}/${name}, or mark the reference as optional`,
      });
    }
    const data = answer.value['data'];
    for (const [key, value] of Object.entries(isJsonObject(data) ? data : {})) {
      const text = String(value);
      set(key, kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text);
    }
  }
  for (const [name, value] of inlineVariables(kustomization)) variables.set(name, value);
  return variables;
}

/** The variables that spec.postBuild.substitute holds itself. */
export function inlineVariables({ spec }: Kustomization): Variables {
  const entries = Object.entries(spec.postBuild?.substitute ?? {});
  return new Map(entries.map(([name, value]) => [name, String(value).replaceAll('\n', '')]));
}

export interface SubstitutionOptions {
  /** A variable that is not set and has no default is an error; else it is empty. */
  readonly isStrict: boolean;
}

/**
 * The objects with `${name}` replaced in their YAML text, so a value may change its type or bring structure.
 * Origins stay: a field that took a variable still comes from the line that named it. Throws BuildFailed.
 * Follows fluxcd/pkg kustomize SubstituteVariables (contract 1.5).
 */
export function substituteObjects(
  objects: readonly BuiltObject[],
  kustomization: Kustomization,
  variables: Variables,
  { isStrict }: SubstitutionOptions,
): readonly BuiltObject[] {
  const { postBuild } = kustomization.spec;
  if (postBuild === undefined) return objects;
  if (variables.size === 0 && postBuild.substituteStrategy !== 'Always') return objects;
  const invalid = [...variables.keys()].find((name) => !namePattern.test(name));
  const lookup = (name: string): string | undefined => variables.get(name) ?? (isStrict ? undefined : '');
  return objects.map((built) => {
    if (isDisabled(built.object)) return built;
    if (invalid !== undefined) {
      const rule = '^[_[:alpha:]][_[:alpha:][:digit:]]*$';
      throw failed(built, `'${invalid}' var name is invalid, must match '${rule}'`);
    }
    // Without a dollar sign the text comes back as it was, but for integers that pass through Go's floats.
    const isSame = !stringifyJson(built.object).includes('$');
    const object = withFloats(isSame ? built.object : substituteObject(built, lookup));
    return object === built.object
      ? built
      : { ...built, object, origins: originsAfter(built.origins, object) };
  });
}

/** The object with integers that a float64 cannot hold rounded, as upstream's way through JSON does. */
function withFloats(object: KubeObject): KubeObject {
  const rounded = (value: JsonValue): JsonValue => {
    if (typeof value === 'bigint') return Number(value);
    if (Array.isArray(value)) {
      const items = (value as readonly JsonValue[]).map(rounded);
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    if (!isJsonObject(value)) return value;
    const members = Object.entries(value).map(
      ([key, member]) => [key, rounded(member as JsonValue)] as const,
    );
    return members.every(([key, member]) => member === value[key]) ? value : Object.fromEntries(members);
  };
  return rounded(object as JsonValue) as KubeObject;
}

/** Fields keep their lines; what a variable brought in comes from the line that named the variable. */
function originsAfter(origins: Origins, object: KubeObject): Origins {
  return {
    at: (pointer) => origins.at(pointer),
    *entries() {
      for (const pointer of leavesOf(object as JsonValue, '')) {
        const origin = origins.at(pointer);
        if (origin !== undefined) yield [pointer, origin];
      }
    },
  };
}

function* leavesOf(value: JsonValue, pointer: string): Iterable<string> {
  const members: Iterable<readonly [string | number, JsonValue]> = Array.isArray(value)
    ? (value as readonly JsonValue[]).entries()
    : Object.entries(isJsonObject(value) ? (value as Readonly<Record<string, JsonValue>>) : {});
  let isLeaf = true;
  for (const [key, member] of members) {
    isLeaf = false;
    yield* leavesOf(member, joinPointer(pointer, key));
  }
  if (isLeaf) yield pointer;
}

function substituteObject(built: BuiltObject, lookup: (name: string) => string | undefined): KubeObject {
  const result = substituteText(printYaml(built.object), lookup);
  if ('errors' in result) {
    const [first] = result.errors;
    const origin = first?.variable === undefined ? undefined : originOfVariable(built, first.variable);
    throw failed(built, `variable substitution failed: ${first?.message}`, origin);
  }
  const { value: documents, diagnostics } = parseYaml('', result.text);
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined) throw failed(built, `YAMLToJSON: ${problem.message}`);
  const value = documents[0]?.value;
  if (!isJsonObject(value) || !isJsonObject(value['metadata']))
    throw failed(built, 'the result is no Kubernetes object');
  return value as KubeObject;
}

function isDisabled({ metadata }: KubeObject): boolean {
  const key = `${kustomizeGroup}/substitute`;
  return metadata.labels?.[key] === 'disabled' || metadata.annotations?.[key] === 'disabled';
}

/** The line of the first field whose text names the variable. */
function originOfVariable({ object, origins }: BuiltObject, variable: string): Origin | undefined {
  const find = (value: JsonValue | undefined, pointer: string): string | undefined => {
    if (typeof value === 'string') return value.includes(`\${${variable}`) ? pointer : undefined;
    const members = Array.isArray(value)
      ? (value as readonly JsonValue[]).entries()
      : Object.entries(isJsonObject(value) ? value : {});
    for (const [key, member] of members) {
      const found = find(member, joinPointer(pointer, key));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return origins.at(find(object, '') ?? '');
}

function failed({ object }: BuiltObject, cause: string, origin?: Origin): Error {
  const { group, version } = parseApiVersion(object.apiVersion);
  const gvk = [object.kind, version, group === '' ? '[noGrp]' : group].join('.');
  return plumbError('BuildFailed', {
    message: `post build failed for '${gvk}/${object.metadata.name}': envsubst error: ${cause}`,
    ...(origin !== undefined && { origin }),
    hint: 'set the variable in spec.postBuild, give it a default (${name:=value}), or write $${name} to keep the text',
  });
}
