import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../base/json.ts';
import { computeStatus } from './kstatus.ts';

const now = Date.parse('2026-01-01T00:00:30Z');

function check(apiVersion: string, kind: string, fields: JsonObject, expected: string): void {
  const metadata = { name: 'x', ...(fields['metadata'] as JsonObject | undefined) };
  const { status, message } = computeStatus({ apiVersion, kind, ...fields, metadata }, now);
  assert.equal(`${status}: ${message}`, expected);
}

const ready = (status: string, message = ''): JsonObject => ({
  status: { conditions: [{ type: 'Ready', status, message }] },
});

test('an object under deletion is Terminating', () => {
  const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  check('v1', 'ConfigMap', { metadata }, 'Terminating: Resource scheduled for deletion');
});

test('an unobserved generation comes before the conditions', () => {
  check(
    'example.io/v1',
    'Thing',
    { metadata: { generation: 3 }, status: { observedGeneration: 2, conditions: [] } },
    'InProgress: Thing generation is 3, but latest observed generation is 2',
  );
});

test('a custom object follows its Ready condition', () => {
  check('example.io/v1', 'Thing', ready('True'), 'Current: Resource is Ready');
  check('example.io/v1', 'Thing', ready('False', 'no disk'), 'InProgress: no disk');
  check('example.io/v1', 'Thing', {}, 'Current: Resource is current');
});

test('a Deployment fails at its progress deadline and is Current when available', () => {
  const counters = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };
  const available = [{ type: 'Available', status: 'True' }];
  check(
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...counters, conditions: available } },
    'Current: Deployment is available. Replicas: 2',
  );
  check(
    'apps/v1',
    'Deployment',
    { status: { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] } },
    'Failed: Progress deadline exceeded',
  );
});

test('a Job is waited for until it completes', () => {
  check(
    'batch/v1',
    'Job',
    { status: { startTime: '2026-01-01T00:00:00Z', active: 1 } },
    'InProgress: Job in progress. success:0, active: 1, failed: 0',
  );
  check('batch/v1', 'Job', { spec: { suspend: true } }, 'Current: Job is suspended');
});

test('an unschedulable Pod fails 15 s after its creation, and says when', () => {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }];
  const pod = (creationTimestamp: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', creationTimestamp },
    status: { phase: 'Pending', conditions },
  });
  assert.deepEqual(computeStatus(pod('2026-01-01T00:00:20Z'), now), {
    status: 'InProgress',
    message: 'Pod has not been scheduled',
    changesAt: now + 5000,
  });
  assert.equal(computeStatus(pod('2026-01-01T00:00:15Z'), now).status, 'Failed');
});

test('a status that is not readable is Unknown, with the reason', () => {
  check('example.io/v1', 'Thing', { status: 'up' }, 'Unknown: cannot restore struct from: string');
});
