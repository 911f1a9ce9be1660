import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { JsonObject } from '../base/json.ts';
import { hiddenFields } from './hiddenFields.ts';
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
  ].map((object) => maskObject(object));
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

test('hidden fields of other kinds are masked wherever the item of the list stands', () => {
  const variable = (name: string, value: string): object => ({ name, value });
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'a',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"value":"swordfish"}',
        'example.com/note': 'hunter2',
      },
    },
    spec: { containers: [{ env: [variable('b', 'swordfish'), variable('a', 'hunter2')] }], priority: 4321 },
  } as unknown as KubeObject;
  const hidden = hiddenFields([
    '/spec/containers/0/env/0/value',
    '/spec/priority',
    '/metadata/annotations/example.com~1note',
  ]);
  const shown = JSON.stringify([
    maskObject(object, hidden),
    maskValue(object, '/spec/containers/0/env/7/value', 'swordfish', hidden),
    maskValue(object, '/spec', object['spec'] as JsonObject, hidden),
    maskValue(object, '/spec/priority', 4321, hidden),
    maskText(object, 'hunter2 and 4321 are wrong', hidden),
  ]);
  assert.doesNotMatch(shown, /swordfish|hunter2|4321/);
  assert.match(shown, /"name":"b"/);
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
