import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { defaultProfile, isGateOn, profileOfDeployment } from './controllerProfile.ts';

function deployment(...args: readonly string[]): KubeObject {
  const containers = [
    { name: 'sidecar', image: 'x:v9', args: ['--no-remote-bases'] },
    { name: 'manager', image: 'ghcr.io/fluxcd/kustomize-controller:v1.9.4', args },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'kustomize-controller', namespace: 'gitops' },
    spec: { replicas: 0, template: { spec: { serviceAccountName: 'kustomize-controller', containers } } },
  };
}

test('a controller without policy arguments has the defaults', () => {
  assert.deepEqual(profileOfDeployment(deployment('--events-addr=http://x', '--enable-leader-election')), {
    ...defaultProfile,
    version: 'v1.9.4',
    runtimeNamespace: 'gitops',
  });
});

test('every policy argument is read, in both spellings of Go flags', () => {
  const profile = profileOfDeployment(
    deployment(
      '--no-cross-namespace-refs=true',
      '--no-remote-bases',
      '--default-service-account',
      'tenant',
      '--override-manager=argo',
      '--override-manager=flux,helm',
      '--custom-apply-stage-kinds=kyverno.io/ClusterPolicy',
      '--requeue-dependency=5s',
      '--watch-all-namespaces=false',
      '--watch-label-selector=!sharding.fluxcd.io/key',
      '--watch-configs-label-selector=team=web',
      '--feature-gates=ExternalArtifact=true,StrictPostBuildSubstitutions=false',
    ),
  );
  assert.equal(profile.noCrossNamespaceRefs, true);
  assert.equal(profile.noRemoteBases, true);
  assert.equal(profile.defaultServiceAccount, 'tenant');
  assert.deepEqual(profile.overrideManagers, ['argo', 'flux', 'helm']);
  assert.deepEqual(profile.customApplyStageKinds, ['kyverno.io/ClusterPolicy']);
  assert.equal(profile.requeueDependency, 5000);
  assert.equal(profile.watchAllNamespaces, false);
  assert.equal(profile.watchConfigsLabelSelector, 'team=web');
  assert.equal(profile.watchLabelSelector, '!sharding.fluxcd.io/key');
  assert.equal(isGateOn(profile, 'ExternalArtifact'), true);
  assert.equal(isGateOn(profile, 'StrictPostBuildSubstitutions'), false);
  assert.equal(isGateOn(profile, 'Unknown'), false);
});

test('the account is that of the pods, `default` where they name none', () => {
  const withAccount = (account: object): KubeObject => ({
    ...deployment(),
    spec: { template: { spec: { ...account, containers: [] } } },
  });
  assert.equal(profileOfDeployment(withAccount({ serviceAccountName: 'fleet' })).serviceAccount, 'fleet');
  assert.equal(profileOfDeployment(withAccount({})).serviceAccount, 'default');
});

test('a Deployment that is none gives the defaults', () => {
  const broken = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'x', namespace: 'flux-system' },
  };
  assert.deepEqual(profileOfDeployment(broken), defaultProfile);
});
