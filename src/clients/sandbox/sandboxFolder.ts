import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  createAuthority,
  createSigningKeys,
  issueClientCertificate,
  issueServerCertificate,
} from './certificates.ts';
import { formatKubeconfig } from './kubeconfig.ts';

/** The files of one sandbox. All are private to the user: with them anyone is its administrator. */
export interface SandboxFolder {
  readonly path: string;
  readonly authorityCertificate: string;
  readonly authorityKey: string;
  readonly apiserverCertificate: string;
  readonly apiserverKey: string;
  readonly etcdAuthorityCertificate: string;
  readonly etcdCertificate: string;
  readonly etcdKey: string;
  readonly serviceAccountPrivateKey: string;
  readonly serviceAccountPublicKey: string;
  readonly etcdData: string;
  readonly stages: string;
  readonly logs: string;
  /** The administrator's; `kubeconfigOf` names those of the components. */
  readonly kubeconfig: string;
  /** The ready sandbox, as JSON: written last. */
  readonly state: string;
}

/** Certificate users of the components, by the name of their kubeconfig. RBAC binds the first two itself. */
const componentUsers = {
  'controller-manager': { userName: 'system:kube-controller-manager', groups: [] },
  scheduler: { userName: 'system:kube-scheduler', groups: [] },
  kwok: { userName: 'plumb:kwok', groups: ['system:masters'] },
} as const;

const administrator = { userName: 'plumb:administrator', groups: ['system:masters'] } as const;

const authorityName = 'plumb-sandbox';

/** The first address of the Service range, under which Pods would see the API server. */
const serviceAddress = '10.96.0.1';

/** Where things lie in the folder. */
export function sandboxFolder(path: string): SandboxFolder {
  const pki = (name: string): string => join(path, 'pki', name);
  return {
    path,
    authorityCertificate: pki('ca.crt'),
    authorityKey: pki('ca.key'),
    apiserverCertificate: pki('apiserver.crt'),
    apiserverKey: pki('apiserver.key'),
    etcdAuthorityCertificate: pki('etcd-ca.crt'),
    etcdCertificate: pki('etcd.crt'),
    etcdKey: pki('etcd.key'),
    serviceAccountPrivateKey: pki('sa.key'),
    serviceAccountPublicKey: pki('sa.pub'),
    etcdData: join(path, 'etcd'),
    stages: join(path, 'stages.yaml'),
    logs: join(path, 'logs'),
    kubeconfig: join(path, 'kubeconfig'),
    state: join(path, 'state.json'),
  };
}

export function kubeconfigOf(folder: SandboxFolder, component: keyof typeof componentUsers): string {
  return join(folder.path, `${component}.kubeconfig`);
}

/** What the supervisor itself needs to talk to the API server. */
export interface AdministratorAccess {
  readonly server: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes authorities, certificates, keys and kubeconfigs for an API server on that loopback port. */
export async function writeSandboxFolder(
  folder: SandboxFolder,
  cluster: string,
  port: number,
): Promise<AdministratorAccess> {
  const server = `https://127.0.0.1:${port}`;
  const authority = createAuthority(authorityName);
  // An authority of its own: whoever holds a certificate of the cluster must not reach etcd past RBAC.
  const etcdAuthority = createAuthority('plumb-sandbox-etcd');
  const apiserver = issueServerCertificate(authority, 'kube-apiserver', [
    '127.0.0.1',
    serviceAddress,
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]);
  const etcd = issueServerCertificate(etcdAuthority, 'etcd', ['127.0.0.1', 'localhost']);
  const serviceAccount = createSigningKeys();
  const access = issueClientCertificate(authority, administrator.userName, administrator.groups);
  await mkdir(folder.path, { recursive: true, mode: 0o700 });
  await mkdir(join(folder.path, 'pki'), { recursive: true, mode: 0o700 });
  await mkdir(folder.logs, { recursive: true, mode: 0o700 });
  await Promise.all([
    writePrivate(folder.authorityCertificate, authority.certificate),
    writePrivate(folder.authorityKey, authority.key),
    writePrivate(folder.apiserverCertificate, apiserver.certificate),
    writePrivate(folder.apiserverKey, apiserver.key),
    writePrivate(folder.etcdAuthorityCertificate, etcdAuthority.certificate),
    writePrivate(folder.etcdCertificate, etcd.certificate),
    writePrivate(folder.etcdKey, etcd.key),
    writePrivate(folder.serviceAccountPrivateKey, serviceAccount.privateKey),
    writePrivate(folder.serviceAccountPublicKey, serviceAccount.publicKey),
    writeKubeconfig(folder.kubeconfig, cluster, server, authority, administrator),
    ...Object.entries(componentUsers).map(([component, user]) =>
      writeKubeconfig(join(folder.path, `${component}.kubeconfig`), cluster, server, authority, user),
    ),
  ]);
  return { server, authority: authority.certificate, certificate: access.certificate, key: access.key };
}

/** Administrator's access to the sandbox that lives in the folder, with a certificate of its own. */
export async function administratorAccess(
  folder: SandboxFolder,
  server: string,
): Promise<AdministratorAccess> {
  const authority = await readAuthority(folder);
  const { certificate, key } = issueClientCertificate(
    authority,
    administrator.userName,
    administrator.groups,
  );
  return { server, authority: authority.certificate, certificate, key };
}

/** The authority that signs the cluster's users. */
export async function readAuthority(folder: SandboxFolder): Promise<Authority> {
  const [certificate, key] = await Promise.all([
    readFile(folder.authorityCertificate, 'utf8'),
    readFile(folder.authorityKey, 'utf8'),
  ]);
  return { name: authorityName, certificate, key };
}

export interface CertificateUser {
  readonly userName: string;
  readonly groups: readonly string[];
  /** The namespace of the context. */
  readonly namespace?: string;
}

/** Writes a kubeconfig (0600) for that user, with a certificate signed by the authority. */
export async function writeKubeconfig(
  path: string,
  cluster: string,
  server: string,
  authority: Authority,
  user: CertificateUser,
): Promise<void> {
  const credentials = issueClientCertificate(authority, user.userName, user.groups);
  await writePrivate(
    path,
    formatKubeconfig({
      cluster,
      server,
      authority: authority.certificate,
      user: user.userName,
      credentials,
      ...(user.namespace !== undefined && { namespace: user.namespace }),
    }),
  );
}

/** Writes a file that only the user may read. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}
