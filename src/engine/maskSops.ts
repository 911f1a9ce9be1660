import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import type { KubeObject } from '../kube/object.ts';

const mask = '**SOPS**';

/** A Secret without what SOPS encrypted in it, as `flux build` shows it; any other object is the same. */
export function maskSops(built: BuiltObject): BuiltObject {
  const { object } = built;
  if (object.kind !== 'Secret') return built;
  const { sops, ...rest } = object as JsonObject;
  const isEncrypted = isJsonObject(sops) && String(sops['mac']).startsWith('ENC[');
  const masks = masksOf(isEncrypted && object['type'] === 'kubernetes.io/dockerconfigjson');
  const change = (field: 'data' | 'stringData'): JsonObject => {
    const map = object[field];
    if (!isJsonObject(map)) return {};
    const entries = Object.entries(map).map(([key, value]) => {
      const isMasked = isEncrypted || holdsSops(field, value);
      return [key, isMasked ? masks[isEncrypted ? field : 'data'] : (value as JsonValue)] as const;
    });
    return { [field]: Object.fromEntries(entries) };
  };
  const kept = isEncrypted ? rest : (object as JsonObject);
  return { ...built, object: { ...kept, ...change('data'), ...change('stringData') } as KubeObject };
}

function masksOf(isDockerConfig: boolean): Readonly<Record<'data' | 'stringData', string>> {
  const text = isDockerConfig ? JSON.stringify({ mask }) : mask;
  return { data: Buffer.from(text).toString('base64'), stringData: text };
}

/** A whole file that SOPS encrypted and a generator took up. */
function holdsSops(field: 'data' | 'stringData', value: JsonValue | undefined): boolean {
  const text = field === 'data' ? Buffer.from(String(value), 'base64').toString() : String(value);
  return text.includes('sops') && text.includes('ENC[');
}
