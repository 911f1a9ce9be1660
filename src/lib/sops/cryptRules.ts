import { RE2JS } from 're2js';
import { decryptionError, type LeafPlace } from './sopsTree.ts';

/** Which values of a file are encrypted; a file has at most one of them. */
export type CryptRuleName =
  | 'unencrypted_suffix'
  | 'encrypted_suffix'
  | 'unencrypted_regex'
  | 'encrypted_regex'
  | 'unencrypted_comment_regex'
  | 'encrypted_comment_regex';

export interface CryptRule {
  readonly name: CryptRuleName;
  readonly pattern: string;
}

export const cryptRuleNames: readonly CryptRuleName[] = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
];

/** In force where a file names no rule. */
export const defaultCryptRule: CryptRule = { name: 'unencrypted_suffix', pattern: '_unencrypted' };

export type IsEncrypted = (place: LeafPlace, isComment: boolean) => boolean;

/** The rule as a question about a place. An invalid Go pattern matches nothing, as upstream ignores the error. */
export function compileCryptRule({ name, pattern }: CryptRule): IsEncrypted {
  switch (name) {
    case 'unencrypted_suffix':
      return ({ path }) => !path.some((part) => part.endsWith(pattern));
    case 'encrypted_suffix':
      return ({ path }) => path.some((part) => part.endsWith(pattern));
    case 'unencrypted_regex': {
      const matches = matcherOf(pattern);
      return ({ path }) => !path.some(matches);
    }
    case 'encrypted_regex': {
      const matches = matcherOf(pattern);
      return ({ path }) => path.some(matches);
    }
    case 'unencrypted_comment_regex': {
      const matches = matcherOf(pattern);
      return ({ comments }) => !comments.some((level) => level.some(matches));
    }
    case 'encrypted_comment_regex': {
      const matches = matcherOf(pattern);
      return ({ comments }, isComment) =>
        comments.some((level, index) => {
          // The comment that matches stays readable itself.
          const own = isComment && index === comments.length - 1;
          return (own ? level.slice(0, -1) : level).some(matches);
        });
    }
  }
}

/** A comment whose encrypted form matches would never be decrypted again. */
export function refuseMatchingComment(rule: CryptRule, encrypted: string): void {
  if (rule.name !== 'unencrypted_comment_regex' || !matcherOf(rule.pattern)(encrypted)) return;
  throw decryptionError(
    'an encrypted comment matches unencrypted_comment_regex',
    'make the pattern so narrow that it cannot match an encrypted comment',
  );
}

function matcherOf(pattern: string): (text: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch {
    return () => false;
  }
}
