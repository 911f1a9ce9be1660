import type { CertifiedKey } from './certificates.ts';

export interface KubeconfigContent {
  readonly cluster: string;
  readonly server: string;
  /** PEM */
  readonly authority: string;
  readonly user: string;
  readonly credentials: CertifiedKey;
  readonly namespace?: string;
}

/** The text of a kubeconfig with one cluster, one user and one context, certificates inside. */
export function formatKubeconfig(content: KubeconfigContent): string {
  const { cluster, server, authority, user, credentials, namespace } = content;
  const quote = JSON.stringify;
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${quote(cluster)}
    cluster:
      server: ${quote(server)}
      certificate-authority-data: ${base64(authority)}
users:
  - name: ${quote(user)}
    user:
      client-certificate-data: ${base64(credentials.certificate)}
      client-key-data: ${base64(credentials.key)}
contexts:
  - name: ${quote(cluster)}
    context:
      cluster: ${quote(cluster)}
      user: ${quote(user)}
${namespace === undefined ? '' : `      namespace: ${quote(namespace)}\n`}current-context: ${quote(cluster)}
`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
