import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileHealthExpressions, evaluateReadyExpr } from './healthExpressions.ts';
import { compileTyped, compileUntyped, evaluateBoolean } from './celExpression.ts';

const ready = { type: 'Ready', status: 'True' };

function check(text: string, variables: Parameters<typeof evaluateBoolean>[1], expected: unknown): void {
  const result = compileUntyped(text);
  assert.deepEqual('fault' in result ? result.fault : evaluateBoolean(result.compiled, variables), expected);
}

test('asks conditions as health expressions do', () => {
  const text = "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')";
  check(text, { status: { conditions: [ready] } }, { value: true });
  check(text, { status: { conditions: [{ ...ready, status: 'False' }] } }, { value: false });
});

test('integers are 64 bits wide and divide as integers', () => {
  check('n / 2 == 1 && n % 2 == 1', { n: 3 }, { value: true });
  check(
    'n + 1 > 0',
    { n: 9223372036854775807n },
    {
      error: "failed to evaluate the CEL expression 'n + 1 > 0': integer overflow",
    },
  );
});

test('an error counts only where it decides', () => {
  check('missing || true', {}, { value: true });
  check(
    'missing && true',
    {},
    {
      error: "failed to evaluate the CEL expression 'missing && true': no such attribute(s): missing",
    },
  );
});

test('a result that is no bool is an error', () => {
  check("'x'", {}, { error: "failed to evaluate CEL expression as boolean: ''x''" });
});

test('tells where a text stops being an expression', () => {
  check(
    'status.phase ==',
    {},
    {
      message: "failed to parse the CEL expression 'status.phase ==': Syntax error: unexpected the end",
      offset: 15,
    },
  );
  check(
    "status.phase.matches('(')",
    {},
    {
      message:
        "failed to parse the CEL expression 'status.phase.matches('(')': error parsing regexp: missing closing ): `(`",
      offset: 20,
    },
  );
});

test('refuses what would need too much stack', () => {
  const deep = compileUntyped(`${'('.repeat(5000)}1${')'.repeat(5000)}`);
  assert.ok('fault' in deep && deep.fault.message.includes('of more than 5000 tokens'));
  const nested = compileUntyped(`${'('.repeat(400)}1${')'.repeat(400)}`);
  assert.ok('fault' in nested && nested.fault.message.includes('recursion limit'));
});

test('the type of a ready expression must be known to be a bool', () => {
  const fault = compileTyped('dep.status.ready', ['dep']);
  assert.deepEqual(fault, {
    fault: { message: 'CEL expression output type mismatch: expected bool, got dyn', offset: 0 },
  });
});

const object = (name: string, status: Readonly<Record<string, string>>) => ({
  apiVersion: 'example.io/v1',
  kind: 'Thing',
  metadata: { name },
  status,
});

test('a ready expression sees both objects', () => {
  const objects = { self: object('app', { v: '1' }), dep: object('infra', { v: '1' }) };
  assert.deepEqual(evaluateReadyExpr('self.status.v == dep.status.v', objects), { value: true });
  assert.deepEqual(evaluateReadyExpr('dep.status.x == 1', objects), {
    error: "failed to evaluate the CEL expression 'dep.status.x == 1': no such key: x",
  });
});

test('health expressions are asked in order: inProgress, failed, current', () => {
  const result = compileHealthExpressions({
    current: "status.phase == 'Done'",
    failed: "status.phase == 'Broken'",
    inProgress: "status.phase == 'Busy'",
  });
  assert.ok('compiled' in result);
  const statusOf = (phase: string): string => result.compiled(object('x', { phase })).status;
  assert.deepEqual(['Busy', 'Broken', 'Done', 'Other'].map(statusOf), [
    'InProgress',
    'Failed',
    'Current',
    'InProgress',
  ]);
  assert.equal(result.compiled(object('x', {})).status, 'Unknown');
});

test('tells which health expression is at fault', () => {
  const result = compileHealthExpressions({ current: 'true', failed: 'a.' });
  assert.ok('fault' in result && 'field' in result);
  assert.equal(result.field, 'failed');
});
