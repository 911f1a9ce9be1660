import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { KubeObject } from '../kube/object.ts';

/** The command line of a controller: every value of each flag, in the order given. */
export type ControllerFlags = ReadonlyMap<string, readonly string[]>;

/** What the pods of a Deployment are made from. */
export function podSpecOf(deployment: KubeObject): JsonObject | undefined {
  let value = deployment['spec'];
  for (const key of ['template', 'spec']) value = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(value) ? value : undefined;
}

/** The container of a controller's Deployment that is the controller; others may stand beside it. */
export function managerContainer(deployment: KubeObject): JsonObject | undefined {
  const containers = podSpecOf(deployment)?.['containers'];
  if (!Array.isArray(containers)) return undefined;
  const objects = (containers as readonly JsonValue[]).filter(isJsonObject);
  return objects.find((container) => container['name'] === 'manager') ?? objects[0];
}

/** The flags a controller's Deployment starts it with. */
export function flagsOfDeployment(deployment: KubeObject): ControllerFlags {
  const args = managerContainer(deployment)?.['args'];
  return readFlags(
    Array.isArray(args) ? (args as readonly JsonValue[]).filter((item) => typeof item === 'string') : [],
  );
}

/** The value that counts: the last one. */
export function flagValue(flags: ControllerFlags, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/** A flag's truth as Go reads it; undefined for anything else. */
export function parseGoBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(1|t|true)$/i.test(text)) return true;
  return /^(0|f|false)$/i.test(text) ? false : undefined;
}

/** `--name=value`, `--name value` and `--name`, as Go's pflag reads them; a name may come more than once. */
function readFlags(args: readonly string[]): ControllerFlags {
  const flags = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(args[index] as string);
    if (match === null) continue;
    const next = args[index + 1];
    const isSeparate = match[2] === undefined && next !== undefined && !next.startsWith('-');
    const value = match[2] ?? (isSeparate ? next : 'true');
    if (isSeparate) index++;
    const name = match[1] as string;
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return flags;
}
