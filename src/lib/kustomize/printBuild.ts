import type { JsonValue } from '../../base/json.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { printYaml } from '../../kube/yamlPrint.ts';
import { goJson } from './goJson.ts';

const printed = new WeakMap<object, string>();

/** The objects as `kustomize build` prints them, byte for byte; as JSON one object a line. */
export function printBuild(objects: readonly BuiltObject[], format: 'yaml' | 'json' = 'yaml'): string {
  if (format === 'json') return objects.map(({ object }) => `${goJson(object as JsonValue)}\n`).join('');
  return objects.map(({ object }) => printOnce(object)).join('---\n');
}

/** Objects that a build took over from the last one are printed once. */
function printOnce(object: BuiltObject['object']): string {
  let text = printed.get(object);
  if (text === undefined) {
    text = printYaml(object);
    printed.set(object, text);
  }
  return text;
}
