import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { maskObject, maskText, maskValue } from './mask.ts';
import type { KubeObject } from './object.ts';

function secret(data: Record<string, string>, extra: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', ...extra }, data };
}

test('no value of a Secret survives masking, whatever it is', () => {
  for (let round = 0; round < 200; round++) {
    const value = randomBytes(1 + (round % 40)).toString('hex');
    const encoded = Buffer.from(value).toString('base64');
    const object: KubeObject = {
      ...secret({ password: encoded }),
      metadata: {
        name: 'a',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"password":"${encoded}"}}`,
        },
      },
      stringData: { token: value },
    };
    const text = JSON.stringify([
      maskObject(object),
      maskValue(object, '/data/password', encoded),
      maskValue(object, '/data', { password: encoded }),
      maskValue(object, '/stringData/token', value),
      maskValue(object, '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration', encoded),
    ]);
    assert.equal(text.includes(encoded), false);
    if (value.length > 8) assert.equal(text.includes(value), false);
  }
});

test('equal values look equal, other values do not, and data looks like stringData', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const [same, again, other] = [
    secret({ a: encode('x') }),
    secret({ a: encode('x') }),
    secret({ a: encode('y') }),
  ].map(maskObject);
  assert.deepEqual(same, again);
  assert.notDeepEqual(same, other);
  assert.equal(maskValue(secret({}), '/data/a', encode('x')), maskValue(secret({}), '/stringData/a', 'x'));
});

test('other kinds are shown as they are', () => {
  const configMap: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: { a: 'x' },
  };
  assert.equal(maskObject(configMap), configMap);
  assert.equal(maskValue(configMap, '/data/a', 'x'), 'x');
});

test('words about a Secret do not quote its values', () => {
  const object = {
    ...secret({ a: Buffer.from('hunter2').toString('base64') }),
    stringData: { b: 'swordfish' },
  };
  assert.equal(
    maskText(object, 'expected map, got hunter2 (aHVudGVyMg==) and swordfish'),
    'expected map, got [masked] ([masked]) and [masked]',
  );
});
