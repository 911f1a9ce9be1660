import type { Command, Completion, OptionSpec } from '../command.ts';
import { commonOptions } from '../globalOptions.ts';

/** A word that may come next, with what it means. */
export type Candidate = readonly [word: string, meaning: string];

/** What the word at the cursor may become: words, or what has to be looked up for it. */
export type Completing =
  | { readonly type: 'words'; readonly candidates: readonly Candidate[] }
  | {
      readonly type: 'lookup';
      readonly what: Exclude<Completion, readonly string[] | 'command'>;
      /** The words before it that are no flags: the kind whose objects are wanted, most often. */
      readonly positionals: readonly string[];
      /** The flags given before it: `context`, `kubeconfig`, `namespace`. */
      readonly options: Readonly<Record<string, string>>;
    };

const nothing: Completing = { type: 'words', candidates: [] };

/** Completes the last of the words that stand behind `plumb`; it is '' where a new one begins. Nothing is looked up. */
export function completeWords(commands: readonly Command[], words: readonly string[]): Completing {
  const [name, ...rest] = words;
  if (name === undefined || rest.length === 0) return overviewWords(commands, name ?? '');
  const command = commands.find((candidate) => candidate.name === name);
  if (name === 'help') return commandWords(commands);
  if (command === undefined) return nothing;
  const options: Readonly<Record<string, OptionSpec>> = { ...command.options, ...commonOptions };
  const read = readWords(rest.slice(0, -1), options);
  const last = rest.at(-1) ?? '';
  if (read.open !== undefined) return completingFor(read.open.completion, commands, read);
  if (last.startsWith('-') && !read.flagsEnded) {
    const equals = last.indexOf('=');
    if (equals < 0) return { type: 'words', candidates: flagWords(options) };
    return completingFor(options[last.slice(2, equals)]?.completion, commands, read);
  }
  const { completions = [] } = command;
  return completingFor(completions[read.positionals.length] ?? completions.at(-1), commands, read);
}

interface ReadWords {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** The flag whose value comes next. */
  readonly open: OptionSpec | undefined;
  readonly flagsEnded: boolean;
}

function readWords(words: readonly string[], options: Readonly<Record<string, OptionSpec>>): ReadWords {
  const positionals: string[] = [];
  const given: Record<string, string> = {};
  let open: readonly [string, OptionSpec] | undefined;
  let flagsEnded = false;
  for (const word of words) {
    if (open !== undefined) {
      // Some shells hand over `--flag=value` as three words.
      if (word === '=') continue;
      given[open[0]] = word;
      open = undefined;
    } else if (word === '--') flagsEnded = true;
    else if (flagsEnded || !word.startsWith('-')) positionals.push(word);
    else {
      const [flag = '', value] = word.split(/=(.*)/s);
      const found = Object.entries(options).find(
        ([name, { short }]) => flag === `--${name}` || flag === `-${short ?? ''}`,
      );
      if (found?.[1].type !== 'string') continue;
      if (value === undefined) open = found;
      else given[found[0]] = value;
    }
  }
  return { positionals, options: given, open: open?.[1], flagsEnded };
}

function completingFor(
  completion: Completion | undefined,
  commands: readonly Command[],
  { positionals, options }: Pick<ReadWords, 'positionals' | 'options'>,
): Completing {
  if (completion === undefined) return nothing;
  if (completion === 'command') return commandWords(commands);
  if (typeof completion === 'string') return { type: 'lookup', what: completion, positionals, options };
  return { type: 'words', candidates: completion.map((word) => [word, '']) };
}

function overviewWords(commands: readonly Command[], word: string): Completing {
  if (!word.startsWith('-')) return commandWords(commands);
  return {
    type: 'words',
    candidates: [
      ['--help', 'list the commands'],
      ['--version', 'the version'],
    ],
  };
}

function commandWords(commands: readonly Command[]): Completing {
  return { type: 'words', candidates: commands.map(({ name, summary }) => [name, summary]) };
}

function flagWords(options: Readonly<Record<string, OptionSpec>>): readonly Candidate[] {
  return Object.entries(options).map(([name, { description }]) => [`--${name}`, description]);
}
