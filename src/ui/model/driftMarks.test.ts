import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DriftMark, DriftView, FieldChangeView } from '../../protocol/views.ts';
import { hoverDiff, lenses, lineMarks, markText } from './driftMarks.ts';
import { relativeTime } from './relativeTime.ts';
import { takeLive } from './takeLive.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const ref = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const workload = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' };
const range = { start: { line: 4, character: 12 }, end: { line: 4, character: 13 } };
const scaled: FieldChangeView = {
  pointer: '/spec/replicas',
  desired: 3,
  live: 5,
  cause: 'drifted',
  owners: [{ manager: 'kubectl', operation: 'Update', subresource: 'scale', time: '2026-03-01T11:56:00Z' }],
};

function mark(field: Partial<FieldChangeView>): DriftMark {
  return { ref, workload, field: { ...scaled, ...field }, path: 'web.yaml', range };
}

function view(...marks: DriftMark[]): DriftView {
  return { uri: 'file:///web.yaml', version: 1, marks, onlyInCluster: [], onlyInGit: [] };
}

describe('what a drift mark says', () => {
  const { live: _live, ...missing } = scaled;
  const cases: readonly (readonly [DriftMark, string])[] = [
    [mark({}), 'cluster: 5 · kubectl (scale), 4 min ago'],
    [mark({ owners: [] }), 'cluster: 5'],
    [mark({ owners: [{ manager: 'argo', operation: 'Apply' }] }), 'cluster: 5 · argo'],
    [{ ...mark({}), field: { ...missing, owners: [] } }, 'not in the cluster'],
    [mark({ cause: 'edited' }), 'will change 5 → 3'],
    [mark({ cause: 'both', owners: [] }), 'cluster: 5; edited here too'],
    [mark({ cause: 'unknown', owners: [] }), 'cluster: 5'],
  ];
  for (const [each, expected] of cases)
    it(`"${expected}"`, () => assert.equal(markText(each, now), expected));

  it('shows the difference with the cluster first', () => {
    assert.equal(hoverDiff(mark({})), '- replicas: 5\n+ replicas: 3');
    assert.equal(hoverDiff(mark({ pointer: '/metadata/annotations/a~1b' })), '- a/b: 5\n+ a/b: 3');
  });
});

describe('lines with marks', () => {
  it('have one mark each, and none for what is only edited', () => {
    const marks = lineMarks(view(mark({}), mark({ cause: 'edited' })), false, now);
    assert.deepEqual(
      marks.map(({ line, text, style }) => [line, text, style]),
      [[4, 'cluster: 5 · kubectl (scale), 4 min ago', 'drifted']],
    );
  });

  it('show edits when asked, in their own style', () => {
    assert.equal(lineMarks(view(mark({ cause: 'edited' })), true, now)[0]?.style, 'edited');
  });

  it('say how many fields one line sets', () => {
    const [same] = lineMarks(view(mark({ owners: [] }), mark({ owners: [] })), false, now);
    assert.equal(same?.text, 'cluster: 5 (2 fields)');
    const [other] = lineMarks(view(mark({ owners: [] }), mark({ live: 9, owners: [] })), false, now);
    assert.equal(other?.text, '2 fields differ: cluster: 5 …');
  });
});

describe('lenses', () => {
  it('stand above objects that are only in Git, and on top for those only in the cluster', () => {
    const all = lenses({
      ...view(),
      onlyInGit: [{ ref, workload, range }],
      onlyInCluster: Array.from({ length: 7 }, () => ({ ref, workload })),
    });
    assert.equal(all.length, 2);
    assert.deepEqual([all[0]?.range.start.line, all[0]?.command], [4, 'plumb.apply']);
    assert.equal(
      all.at(-1)?.title,
      '$(diff-removed) only in the cluster: Deployment/shop/web, Deployment/shop/web and 5 more',
    );
  });
});

describe('times', () => {
  const cases = [
    ['2026-03-01T11:59:50Z', 'just now'],
    ['2026-03-01T11:58:00Z', '2 min ago'],
    ['2026-03-01T09:00:00Z', '3 h ago'],
    ['2026-02-01T09:00:00Z', '28 d ago'],
    ['yesterday', undefined],
  ] as const;
  for (const [time, expected] of cases)
    it(`${time}: ${expected}`, () => assert.equal(relativeTime(time, now), expected));
});

describe('taking the live value into Git', () => {
  const cases: readonly (readonly [Partial<FieldChangeView>, string, string])[] = [
    [{}, '3', '5'],
    [{ desired: 'info', live: 'debug' }, 'info', 'debug'],
    [{ desired: 'info', live: 'debug' }, '"info"', '"debug"'],
    [{ desired: "it's", live: "it isn't" }, "'it''s'", "'it isn''t'"],
    [{ desired: 'a', live: 'true' }, 'a', '"true"'],
    [{ desired: 'a', live: '12' }, 'a', '"12"'],
    [{ desired: 'a', live: '1.8.0' }, 'a', '1.8.0'],
    [{ desired: 'a', live: 'two: words' }, 'a', '"two: words"'],
    [{ desired: true, live: false }, 'true', 'false'],
    [{ desired: 'registry/web:1.7.0', live: 'registry/web:1.8.0' }, '1.7.0', '1.8.0'],
  ];
  for (const [field, text, expected] of cases)
    it(`writes ${expected} for ${text}`, () =>
      assert.deepEqual(takeLive(mark(field), text), { type: 'edit', newText: expected }));

  const refusals: readonly (readonly [Partial<FieldChangeView>, string])[] = [
    [{}, '4'],
    [{}, 'replicas: 3'],
    [{ desired: { a: 1 }, live: { a: 2 } }, '{ a: 1 }'],
    [{ desired: 'a', live: 'b' }, '|\n  a'],
    [{ desired: 'registry/web:1.7.0', live: 'other/web:1.8.0' }, '1.7.0'],
    [{ desired: 'value', live: 'b' }, '${VALUE}'],
    [{ desired: 'value', live: 'b' }, '*anchor'],
  ];
  for (const [field, text] of refusals)
    it(`leaves ${JSON.stringify(text)} to the user`, () =>
      assert.equal(takeLive(mark(field), text).type, 'refused'));

  it('leaves a field that the cluster does not have to the user', () => {
    const { live: _, ...removed } = scaled;
    assert.equal(takeLive({ ...mark({}), field: removed }, '3').type, 'refused');
  });
});
