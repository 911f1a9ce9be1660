import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from './table.ts';
import { styleFor, wantsColors } from './terminal.ts';

test('columns line up, colours take no room, lines end without spaces', () => {
  const { green } = styleFor(true);
  const table = formatTable(
    ['name', 'ready', 'message'],
    [
      ['apps', green('True'), ''],
      ['infrastructure', 'False', 'no'],
    ],
  );
  const plain = table.replace(/\u001b\[\d+m/g, '');
  assert.equal(
    plain,
    'NAME             READY   MESSAGE\napps             True\ninfrastructure   False   no\n',
  );
});

test('colours follow the terminal, NO_COLOR, FORCE_COLOR and --no-color', () => {
  assert.equal(wantsColors(true, {}, false), true);
  assert.equal(wantsColors(false, {}, false), false);
  assert.equal(wantsColors(true, { NO_COLOR: '1' }, false), false);
  assert.equal(wantsColors(false, { FORCE_COLOR: '1' }, false), true);
  assert.equal(wantsColors(true, { FORCE_COLOR: '1' }, true), false);
  assert.equal(wantsColors(true, { TERM: 'dumb' }, false), false);
});
