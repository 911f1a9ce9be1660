import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import packageJson from '../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '..');

interface Rule {
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
}

interface Grammar {
  readonly scopeName: string;
  readonly injectionSelector: string;
  readonly patterns: readonly Rule[];
  readonly repository?: Readonly<Record<string, Rule>>;
}

function grammar(name: string): Grammar {
  return JSON.parse(readFileSync(join(root, 'syntaxes', `${name}.tmLanguage.json`), 'utf8')) as Grammar;
}

function rulesIn(rules: readonly Rule[]): Rule[] {
  return rules.flatMap((rule) => [rule, ...rulesIn(rule.patterns ?? [])]);
}

test('every grammar is contributed as an injection into YAML, and every rule it includes is there', () => {
  const { grammars } = packageJson.contributes;
  assert.equal(grammars.length, 2);
  for (const { scopeName, path, injectTo } of grammars) {
    const {
      repository = {},
      patterns,
      ...found
    } = JSON.parse(readFileSync(join(root, path), 'utf8')) as Grammar;
    assert.equal(found.scopeName, scopeName);
    assert.deepEqual(injectTo, ['source.yaml']);
    const rules = rulesIn([...patterns, ...Object.values(repository)]);
    for (const { include } of rules) {
      if (include !== undefined) assert.ok(Object.hasOwn(repository, include.slice(1)), include);
    }
  }
});

test('a substitution begins at ${name and nowhere else', () => {
  const begin = new RegExp(grammar('substitution').repository?.['substitution']?.begin ?? '');
  for (const text of ['${name}', 'a-${name:=default}', '${#name}', '${_x/a/b}']) assert.match(text, begin);
  for (const text of ['$name', '${{ github.ref }}', '${}', '${1x}', '${open'])
    assert.doesNotMatch(text, begin);
});

test('name and operator of a substitution are told apart', () => {
  const rules = rulesIn(grammar('substitution').repository?.['substitution']?.patterns ?? []);
  const inner = new RegExp((rules.find(({ captures }) => captures)?.match ?? '').replace('\\G', '^'));
  const cases = {
    'cluster:=dev}': ['', 'cluster', ':='],
    '#name}': ['#', 'name', undefined],
    'name^^}': ['', 'name', '^^'],
    'name//a/b}': ['', 'name', '//'],
    'name%%.*}': ['', 'name', '%%'],
  };
  for (const [text, parts] of Object.entries(cases)) {
    assert.deepEqual([...(inner.exec(text) ?? [])].slice(1), parts, text);
  }
});

test('an encrypted value is taken apart, and nothing else is taken for one', () => {
  const match = new RegExp(grammar('sops').patterns[0]?.match ?? '');
  const parts = match.exec('password: ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ=,type:str]');
  assert.deepEqual([parts?.[2], parts?.[4], parts?.[10]], ['AES256_GCM', 'p673w==', 'str']);
  for (const text of ['ENC[open', 'ENC[AES256_GCM,data:x]', 'a list ENC[1]'])
    assert.doesNotMatch(text, match);
});
