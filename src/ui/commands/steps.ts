import * as vscode from 'vscode';

/** Where a question stands among the others. */
export interface Position {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

/** One question. Gives the answers with its own added, `back` for the question before, undefined when the user left. */
export type Step<Answers> = (answers: Answers, at: Position) => Promise<Answers | 'back' | undefined>;

/** Asks one question after the other, back and forth; which ones there are may depend on the answers. */
export async function askSteps<Answers>(
  title: string,
  stepsOf: (answers: Answers) => readonly Step<Answers>[],
  first: Answers,
  start: 'first' | 'last',
): Promise<Answers | undefined> {
  let answers = first;
  let index = start === 'first' ? 0 : stepsOf(first).length - 1;
  for (;;) {
    const steps = stepsOf(answers);
    const step = steps[index];
    if (step === undefined) return answers;
    const answer = await step(answers, { title, step: index + 1, totalSteps: steps.length });
    if (answer === undefined) return undefined;
    if (answer === 'back') index--;
    else {
      answers = answer;
      index++;
    }
  }
}

export interface TextQuestion {
  readonly prompt: string;
  readonly placeholder: string;
  readonly value: string;
  /** Why the text will not do. */
  readonly problem: (text: string) => string | undefined;
}

/** Wrapped: a branch may be called `back`. */
export interface TextAnswer {
  readonly text: string;
}

/** A line of text; trimmed, and accepted only when nothing is wrong with it. */
export function askText(at: Position, question: TextQuestion): Promise<TextAnswer | 'back' | undefined> {
  const input = vscode.window.createInputBox();
  input.prompt = question.prompt;
  input.placeholder = question.placeholder;
  input.value = question.value;
  return ask<TextAnswer>(input, at, (done) => {
    input.onDidChangeValue((text) => {
      input.validationMessage = text === '' ? undefined : question.problem(text);
    });
    input.onDidAccept(() => {
      const problem = question.problem(input.value);
      input.validationMessage = problem;
      if (problem === undefined) done({ text: input.value.trim() });
    });
  });
}

/** One of several; `active` is the one to begin with. */
export function askChoice<T extends vscode.QuickPickItem>(
  at: Position,
  placeholder: string,
  items: readonly T[],
  active?: T,
): Promise<T | 'back' | undefined> {
  const pick = vscode.window.createQuickPick<T>();
  pick.placeholder = placeholder;
  pick.matchOnDetail = true;
  pick.items = items;
  if (active !== undefined) pick.activeItems = [active];
  return ask<T>(pick, at, (done) => {
    pick.onDidAccept(() => {
      const [picked] = pick.activeItems;
      if (picked !== undefined) done(picked);
    });
  });
}

function ask<T>(
  input: vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  at: Position,
  listen: (done: (answer: T) => void) => void,
): Promise<T | 'back' | undefined> {
  input.title = at.title;
  input.step = at.step;
  input.totalSteps = at.totalSteps;
  // A look at another window, or at the plan behind it, must not lose the answers.
  input.ignoreFocusOut = true;
  input.buttons = at.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  return new Promise<T | 'back' | undefined>((resolve) => {
    listen(resolve);
    input.onDidTriggerButton(() => resolve('back'));
    input.onDidHide(() => resolve(undefined));
    input.show();
  }).finally(() => input.dispose());
}
