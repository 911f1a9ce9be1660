import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { apiRequest } from '../../src/clients/sandbox/apiRequest.ts';
import {
  type AdministratorAccess,
  administratorAccess,
  readAuthority,
  sandboxFolder,
  writeKubeconfig,
} from '../../src/clients/sandbox/sandboxFolder.ts';
import { ensureWholeSandbox } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { type SandboxOptions, startSandbox } from '../../src/clients/sandbox/startSandbox.ts';
import type { SandboxState } from '../../src/clients/sandbox/supervisorProtocol.ts';

export type RequestMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface SandboxUser {
  readonly userName: string;
  readonly groups?: readonly string[];
  /** Namespace of the kubeconfig's context, and of the RoleBinding. */
  readonly namespace: string;
  /** Bound in that namespace only: `view`, `edit`, `admin`. */
  readonly clusterRole?: string;
}

/** What a role allows, as an access review asks for it. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  /** The whole cluster when absent. */
  readonly namespace?: string;
}

/** A real cluster for the tests of one file. Files run at the same time on it: use a fresh namespace. */
export interface SandboxCluster {
  /** The administrator's. */
  readonly kubeconfig: string;
  readonly server: string;
  /** What the API server answers to the administrator; `body` is its JSON. */
  request(
    method: RequestMethod,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: JsonObject }>;
  /** Asks until the condition holds for the object at that path; fails after two minutes with the last answer. */
  waitFor(path: string, condition: (object: JsonObject) => boolean, patienceMs?: number): Promise<JsonObject>;
  /** Makes a namespace; it goes with the test file. Its default ServiceAccount is there. */
  freshNamespace(prefix?: string): Promise<string>;
  /**
   * The kubeconfig of a user with a client certificate of its own and, with `clusterRole`, that role in one namespace,
   * which the API server knows of by then.
   */
  userKubeconfig(user: SandboxUser): Promise<string>;
  /** Resolves when the API server, which learns of roles and bindings a moment after it took them, lets the user do that. */
  untilAllowed(userName: string, right: Right): Promise<void>;
}

/** Far more than anything takes: a machine that does other things at the same time is no failure. */
const waitMs = 120_000;
const pollMs = 25;

let shared: Promise<SandboxCluster> | undefined;

/**
 * The sandbox of this test file: that of the test run when it has started one (`PLUMB_SANDBOX_KUBECONFIG`), else its own,
 * stopped after the file's tests. Call it at the top of a test file, or in a `before` hook.
 */
export function sandboxCluster(): Promise<SandboxCluster> {
  shared ??= openCluster();
  return shared;
}

/**
 * A sandbox for this test file alone, also in a test run that has one: for tests that run real Flux controllers, or that
 * need an older Kubernetes, which `programs` may be of.
 */
export async function ownSandboxCluster(
  options: Partial<Pick<SandboxOptions, 'apiserverFlags' | 'emulate' | 'programs'>> = {},
): Promise<SandboxCluster> {
  const programs = options.programs ?? (await ensureWholeSandbox());
  const sandbox = await startSandbox({ ...options, programs });
  return clusterOf(sandbox.folder, sandbox.state, () => sandbox.stop());
}

async function openCluster(): Promise<SandboxCluster> {
  const given = process.env['PLUMB_SANDBOX_KUBECONFIG'] ?? '';
  if (given !== '') {
    const state = JSON.parse(await readFile(sandboxFolder(dirname(given)).state, 'utf8')) as SandboxState;
    return clusterOf(dirname(given), state, () => Promise.resolve());
  }
  return ownSandboxCluster();
}

async function clusterOf(
  path: string,
  state: SandboxState,
  stop: () => Promise<void>,
): Promise<SandboxCluster> {
  const folder = sandboxFolder(path);
  const access = await administratorAccess(folder, state.server);
  const users = await mkdtemp(join(tmpdir(), 'plumb-users-'));
  const namespaces: string[] = [];
  const request = requestWith(access);
  const waitFor = waitWith(access);
  const untilAllowed: SandboxCluster['untilAllowed'] = async (user, right) => {
    const review = { spec: { user, resourceAttributes: right } };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await delay(pollMs)) {
      const { status } = (await request('POST', path, review)).body;
      if (isJsonObject(status) && status['allowed'] === true) return;
    }
    throw new Error(`${user} is not allowed ${JSON.stringify(right)} after ${waitMs / 1000} s`);
  };
  after(async () => {
    await Promise.all(namespaces.map((name) => request('DELETE', `/api/v1/namespaces/${name}`)));
    await rm(users, { recursive: true });
    await stop();
  });
  return {
    kubeconfig: state.kubeconfig,
    server: state.server,
    request,
    waitFor,
    untilAllowed,
    async freshNamespace(prefix = 'test') {
      const name = `${prefix}-${randomBytes(4).toString('hex')}`;
      expectStatus(
        201,
        await request('POST', '/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name },
        }),
      );
      namespaces.push(name);
      const accounts = `/api/v1/namespaces/${name}/serviceaccounts`;
      if (state.components.some((component) => component.name === 'controller-manager'))
        await waitFor(`${accounts}/default`, () => true);
      // Nobody else would make it there.
      else expectStatus(201, await request('POST', accounts, { metadata: { name: 'default' } }));
      return name;
    },
    async userKubeconfig({ userName, groups = [], namespace, clusterRole }) {
      if (clusterRole !== undefined) {
        const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
        expectStatus(201, await request('POST', path, roleBinding(userName, clusterRole)));
        // Every one of those roles allows it.
        await untilAllowed(userName, { verb: 'get', resource: 'configmaps', namespace });
      }
      const file = join(users, `${randomBytes(4).toString('hex')}.kubeconfig`);
      const authority = await readAuthority(folder);
      await writeKubeconfig(file, 'sandbox', state.server, authority, { userName, groups, namespace });
      return file;
    },
  };
}

function requestWith(access: AdministratorAccess): SandboxCluster['request'] {
  return async (method, path, body) => {
    const response = await apiRequest(access, method, path, body);
    return { status: response.status, body: JSON.parse(response.body) as JsonObject };
  };
}

function waitWith(access: AdministratorAccess): SandboxCluster['waitFor'] {
  return async (path, condition, patienceMs = waitMs) => {
    let last = '';
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(pollMs)) {
      const answer = await apiRequest(access, 'GET', path).catch(String);
      last = typeof answer === 'string' ? answer : answer.body;
      // A path that is not served yet is answered with plain text.
      if (typeof answer === 'string' || answer.status !== 200) continue;
      const object = JSON.parse(answer.body) as JsonObject;
      if (condition(object)) return object;
    }
    throw new Error(`${path} was not as expected within ${patienceMs / 1000} s: ${last}`);
  };
}

function expectStatus(
  expected: number,
  { status, body }: { readonly status: number; readonly body: JsonObject },
): void {
  if (status !== expected) throw new Error(`expected ${expected}, got ${status}: ${JSON.stringify(body)}`);
}

function roleBinding(userName: string, clusterRole: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { generateName: `${clusterRole}-` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: userName }],
  };
}
