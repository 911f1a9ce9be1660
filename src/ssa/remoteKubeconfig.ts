import { isJsonObject, stringifyJson, type JsonObject, type JsonValue } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { parseYaml } from '../kube/yaml.ts';

/** What a kubeconfig of a Secret may do here; both are off unless the controllers allow them. */
export interface KubeconfigPolicy {
  readonly allowExec: boolean;
  readonly allowInsecureTls: boolean;
}

const clusterFields = ['server', 'tls-server-name', 'certificate-authority-data', 'proxy-url'];
const userFields = ['client-certificate-data', 'client-key-data', 'token', 'username', 'password'];

/**
 * A kubeconfig that reaches its cluster by what stands in it alone: paths of files, programs, auth providers and
 * impersonation are dropped, as the controllers do with the kubeconfig of a Secret (contract 0.9).
 * Throws KubeconfigInvalid with the subject.
 */
export function sanitizeKubeconfig(text: string, subject: string, policy: KubeconfigPolicy): string {
  const { value: documents, diagnostics } = parseYaml(subject, text);
  const config = documents[0]?.value;
  if (diagnostics.some(({ severity }) => severity === 'error') || !isJsonObject(config)) {
    throw plumbError('KubeconfigInvalid', {
      subject,
      message: 'the kubeconfig is no YAML mapping',
      hint: 'store the text of a kubeconfig under the key value or value.yaml of the Secret',
    });
  }
  const current = config['current-context'];
  return stringifyJson({
    apiVersion: 'v1',
    kind: 'Config',
    ...(typeof current === 'string' && { 'current-context': current }),
    contexts: named(config['contexts'], 'context', ['cluster', 'user', 'namespace']),
    clusters: named(config['clusters'], 'cluster', [
      ...clusterFields,
      ...(policy.allowInsecureTls ? ['insecure-skip-tls-verify'] : []),
    ]),
    users: named(config['users'], 'user', [...userFields, ...(policy.allowExec ? ['exec'] : [])]),
  });
}

function named(list: JsonValue | undefined, member: string, fields: readonly string[]): JsonValue {
  const items = Array.isArray(list) ? (list as readonly JsonValue[]) : [];
  return items.filter(isJsonObject).map((item) => {
    const body = isJsonObject(item[member]) ? item[member] : {};
    return { name: item['name'] ?? '', [member]: pick(body, fields) };
  });
}

function pick(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => fields.includes(key)));
}
