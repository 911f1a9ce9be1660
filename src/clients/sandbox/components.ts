import { join } from 'node:path';
import { kubeconfigOf, type SandboxFolder } from './sandboxFolder.ts';

export type ComponentName = 'etcd' | 'apiserver' | 'controller-manager' | 'scheduler' | 'kwok';

/** How each component is called: a program and its first arguments. One that is missing cannot be started. */
export type Programs = Readonly<Partial<Record<ComponentName, readonly string[]>>>;

export interface Ports {
  readonly apiserver: number;
  readonly etcd: number;
  readonly etcdPeer: number;
}

export const componentNames: readonly ComponentName[] = [
  'etcd',
  'apiserver',
  'controller-manager',
  'scheduler',
  'kwok',
];

/**
 * The flags of each component. Everything listens on loopback, with TLS and client certificates, or not at all. `emulate` is
 * the Kubernetes minor whose API and features the Kubernetes components show instead of their own.
 */
export function componentFlags(
  component: ComponentName,
  folder: SandboxFolder,
  ports: Ports,
  emulate?: string,
): readonly string[] {
  const emulated = emulate === undefined ? [] : [`--emulated-version=kube=${emulate}`];
  switch (component) {
    case 'etcd':
      return etcdFlags(folder, ports);
    case 'apiserver':
      return [...apiserverFlags(folder, ports), ...emulated];
    case 'controller-manager':
      return [
        `--kubeconfig=${kubeconfigOf(folder, 'controller-manager')}`,
        '--secure-port=0',
        '--leader-elect=false',
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${folder.serviceAccountPrivateKey}`,
        `--root-ca-file=${folder.authorityCertificate}`,
        `--cluster-signing-cert-file=${folder.authorityCertificate}`,
        `--cluster-signing-key-file=${folder.authorityKey}`,
        // At its default of 20 requests a second 200 Deployments take 47 s to become available, at this 6 s.
        '--kube-api-qps=2000',
        '--kube-api-burst=4000',
        ...emulated,
      ];
    case 'scheduler':
      return [
        `--kubeconfig=${kubeconfigOf(folder, 'scheduler')}`,
        '--secure-port=0',
        '--leader-elect=false',
        '--kube-api-qps=2000',
        '--kube-api-burst=4000',
        ...emulated,
      ];
    case 'kwok':
      return [
        `--kubeconfig=${kubeconfigOf(folder, 'kwok')}`,
        `--config=${folder.stages}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=40',
        '--cidr=10.244.0.0/16',
        '--node-ip=127.0.0.1',
        '--node-port=0',
      ];
  }
}

function etcdFlags(folder: SandboxFolder, ports: Ports): string[] {
  const client = `https://127.0.0.1:${ports.etcd}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  return [
    '--name=sandbox',
    `--data-dir=${folder.etcdData}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=sandbox=${peer}`,
    `--cert-file=${folder.etcdCertificate}`,
    `--key-file=${folder.etcdKey}`,
    '--client-cert-auth=true',
    `--trusted-ca-file=${folder.etcdAuthorityCertificate}`,
    `--peer-cert-file=${folder.etcdCertificate}`,
    `--peer-key-file=${folder.etcdKey}`,
    '--peer-client-cert-auth=true',
    `--peer-trusted-ca-file=${folder.etcdAuthorityCertificate}`,
    // The data goes with the sandbox: nothing has to survive a power cut.
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ];
}

function apiserverFlags(folder: SandboxFolder, ports: Ports): string[] {
  return [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${ports.apiserver}`,
    // A loopback address is no valid endpoint of the kubernetes Service, and no Pod is there to use it.
    '--endpoint-reconciler-type=none',
    `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
    `--etcd-cafile=${folder.etcdAuthorityCertificate}`,
    `--etcd-certfile=${folder.etcdCertificate}`,
    `--etcd-keyfile=${folder.etcdKey}`,
    `--tls-cert-file=${folder.apiserverCertificate}`,
    `--tls-private-key-file=${folder.apiserverKey}`,
    `--client-ca-file=${folder.authorityCertificate}`,
    '--anonymous-auth=false',
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${folder.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${folder.serviceAccountPrivateKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // It taints new nodes until a kubelet reports; there is none.
    '--disable-admission-plugins=TaintNodesByCondition',
    '--allow-privileged=true',
    '--profiling=false',
  ];
}

/** Where a component writes its log. */
export function logOf(folder: SandboxFolder, component: ComponentName): string {
  return join(folder.logs, `${component}.log`);
}
