import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Locator, Page } from './browser.ts';

export interface WorkbenchOptions {
  readonly browser: Browser;
  readonly url: string;
  readonly password: string;
  /** Where `screenshot` puts its files. */
  readonly screenshots: string;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A user's hands and eyes in VS Code. Everything waits for what it names and throws after `patience` ms without it. */
export interface Workbench {
  readonly page: Page;
  /** Runs a command of the palette by its full title. */
  runCommand(title: string): Promise<void>;
  /** Opens a file of the workspace by its relative path. */
  openFile(path: string): Promise<void>;
  /** Shows a view container of the activity bar. */
  openContainer(title: string): Promise<void>;
  /** A row of a tree view, by text in its label or description, once it is there. */
  row(view: string, text: string | RegExp): Promise<Locator>;
  /** Every painted row of a tree view, as `label description`. */
  rows(view: string): Promise<string[]>;
  /** The labels alone. */
  rowLabels(view: string): Promise<string[]>;
  /** Replaces the only occurrence of a text in the active editor, by typing. */
  replaceText(text: string, by: string): Promise<void>;
  expandRow(view: string, text: string | RegExp): Promise<void>;
  /** Clicks an entry of a row's context menu. */
  rowMenu(view: string, text: string | RegExp, entry: string | RegExp): Promise<void>;
  rowGone(view: string, text: string | RegExp): Promise<void>;
  /** The end-of-line mark with that text. */
  lineMark(text: string): Promise<Locator>;
  /** Waits until no line has a mark. */
  noLineMark(): Promise<void>;
  /** Shows what is known at the cursor and waits for that text in it. */
  hover(text: string | RegExp): Promise<Locator>;
  /** A line above the text that can be clicked. */
  lens(text: string | RegExp): Promise<Locator>;
  /** Chooses a quick fix at the cursor. */
  quickFix(title: string): Promise<void>;
  /** Saves the active editor. */
  save(): Promise<void>;
  /** A notification with that text. */
  toast(text: string | RegExp): Promise<Locator>;
  /** A button of a notification with that text. */
  toastButton(text: string | RegExp, button: string): Promise<void>;
  /** The text of the modal dialog. */
  dialogText(): Promise<string>;
  dialogButton(button: string): Promise<void>;
  /** Types into the open input box or quick pick and accepts. */
  answerInput(text: string): Promise<void>;
  /** Types into it without accepting. */
  typeInput(text: string): Promise<void>;
  /** Accepts what stands in it. */
  acceptInput(): Promise<void>;
  inputValue(): Promise<string>;
  /** Presses its back button. */
  inputBack(): Promise<void>;
  /** Waits until it asks that: in its prompt or placeholder. */
  question(text: string): Promise<void>;
  pickItem(text: string | RegExp): Promise<void>;
  /** The status bar item with that text. */
  statusItem(text: string | RegExp): Promise<Locator>;
  /** A tab of the editor area. */
  tab(title: string | RegExp): Promise<Locator>;
  /** Waits until the locator finds something that can be seen. */
  see(selector: string, text?: string | RegExp): Promise<Locator>;
  /** A line of the active page or file; `patience` times the usual for what takes long. */
  line(text: string | RegExp, patience?: number): Promise<Locator>;
  gone(selector: string, text?: string | RegExp): Promise<void>;
  /** A picture of the whole window; gives its path. */
  screenshot(name: string): Promise<string>;
  /** Leaves the page as somebody who closes the tab. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

const patience = 120_000;
/** How often something is tried again that another part of the workbench may have got in the way of. */
const tries = 6;

/** Texts that decorations put behind lines stand in no element, only in styles. */
const lineMarks = `[...document.querySelectorAll('.monaco-editor .view-line [class*="ced-"]')]
  .map((element) => ({
    text: getComputedStyle(element, '::after').content,
    className: [...element.classList].find((name) => name.startsWith('ced-')),
  }))
  .filter(({ text }) => text !== 'none' && text !== 'normal')`;

/** Signs in, waits until the workbench is painted and gives its page functions. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const context = await options.browser.newContext({
    viewport: options.viewport ?? { width: 1440, height: 900 },
  });
  const page = await context.newPage();
  await page.goto(options.url, { timeout: patience });
  await page.locator('input[name=password]').fill(options.password);
  await page.locator('input[type=submit]').click();
  await page
    .locator('.monaco-workbench .part.statusbar .statusbar-item')
    .first()
    .waitFor({ timeout: patience });
  await mkdir(options.screenshots, { recursive: true });
  return workbenchOf(page, options.screenshots, () => context.close());
}

function workbenchOf(page: Page, screenshots: string, close: () => Promise<void>): Workbench {
  const seen = async (locator: Locator): Promise<Locator> => {
    await locator.first().waitFor({ timeout: patience });
    return locator.first();
  };
  const within = (locator: Locator, state: 'visible' | 'hidden', timeout: number): Promise<boolean> =>
    locator.waitFor({ state, timeout }).then(
      () => true,
      () => false,
    );
  const find = (selector: string, text?: string | RegExp): Locator =>
    text === undefined ? page.locator(selector) : page.locator(selector).filter({ hasText: text });
  const view = (title: string): Locator =>
    page.locator('.pane').filter({ has: page.locator(`.pane-header[aria-label^=${JSON.stringify(title)}]`) });
  const row = (title: string, text: string | RegExp): Promise<Locator> =>
    seen(view(title).locator('.monaco-list-row').filter({ hasText: text }));
  const quickInput = '.quick-input-widget:not([style*="display: none"])';
  /** Presses the keys and takes what they bring; once more where something that took the focus swallowed them or closed it. */
  const byKeys = async <T>(keys: readonly string[], take: (timeout: number) => Promise<T>): Promise<T> => {
    for (let turn = 1; ; turn++) {
      for (const key of keys) await page.keyboard.press(key);
      try {
        return await take(patience / tries);
      } catch (error) {
        if (turn === tries) throw error;
        await page.keyboard.press('Escape');
      }
    }
  };
  const chooseIn = (key: string, text: string, entry: string): Promise<void> =>
    byKeys([key], async (timeout) => {
      const input = page.locator(`${quickInput} input:focus`).first();
      await input.waitFor({ timeout });
      await input.fill(text);
      await page.locator(entry).first().click({ timeout });
    });
  const focusedInput = async (): Promise<Locator> => {
    const input = await seen(page.locator(`${quickInput} input:focus`));
    return input;
  };

  return {
    page,
    runCommand: async (title) => {
      const name = JSON.stringify(title);
      const row = `.monaco-list-row[aria-label=${name}], .monaco-list-row[aria-label^=${JSON.stringify(`${title}, `)}]`;
      await chooseIn('F1', `>${title}`, `${quickInput} :is(${row})`);
    },
    openFile: async (path) => {
      const slash = path.lastIndexOf('/');
      const parts = [path.slice(slash + 1), ...(slash < 0 ? [] : [path.slice(0, slash)])];
      const named = parts.map((part) => `[aria-label*=${JSON.stringify(part)}]`).join('');
      await chooseIn('Control+P', path, `${quickInput} .monaco-list-row${named}`);
      await seen(page.locator('.editor-group-container.active .monaco-editor .view-line'));
      // Away from the tabs: the tip of one would lie over the first lines.
      await page.mouse.move(1000, 700);
    },
    openContainer: async (title) => {
      const action = await seen(
        page.locator(`.activitybar .action-label[aria-label^=${JSON.stringify(title)}]`),
      );
      await action.click();
      await seen(page.locator('.sidebar .composite.title .title-label').filter({ hasText: title }));
    },
    row,
    rows: async (title) =>
      (await view(title).locator('.monaco-list-row .monaco-icon-label-container').allInnerTexts()).map(
        (text) => text.replaceAll('\n', ' '),
      ),
    rowLabels: (title) => view(title).locator('.monaco-list-row .label-name').allInnerTexts(),
    replaceText: async (text, by) => {
      await page.locator('.editor-group-container.active .monaco-editor .view-line').first().click();
      await page.keyboard.press('Control+H');
      const widget = '.find-widget.visible';
      await (await seen(page.locator(`${widget} .find-part textarea`))).fill(text);
      await (await seen(page.locator(`${widget} .replace-part textarea`))).fill(by);
      await seen(page.locator(`${widget} .matchesCount`).filter({ hasText: /of 1$/ }));
      await page.locator(`${widget} .replace-part textarea`).first().press('Control+Alt+Enter');
      await page.locator(`${widget} .find-part textarea`).first().press('Escape');
    },
    expandRow: async (title, text) => {
      const expanded = view(title)
        .locator('.monaco-list-row[aria-expanded="true"]')
        .filter({ hasText: text });
      // A row that is painted anew in that moment takes no click.
      for (let turn = 1; turn <= tries; turn++) {
        const target = await row(title, text);
        if ((await target.getAttribute('aria-expanded')) === 'true') return;
        await target.locator('.monaco-tl-twistie').click();
        if (await within(expanded.first(), 'visible', patience / tries)) return;
      }
      throw new Error(`the row ${text} of ${title} did not expand`);
    },
    rowMenu: async (title, text, entry) => {
      const item = page.locator('.monaco-menu .action-item').filter({ hasText: entry }).first();
      // A menu closes when an editor that is still opening takes the focus: it is opened again. In the first moment after it
      // opened it takes no click: it stays open, and the click is made again.
      for (let click = 0; click < 2 * tries; click++) {
        if (!(await item.isVisible())) await (await row(title, text)).click({ button: 'right' });
        if (!(await within(item, 'visible', 10_000))) continue;
        const isTaken = await item.click({ timeout: 5000 }).then(
          () => true,
          () => false,
        );
        if (isTaken && (await within(page.locator('.monaco-menu').first(), 'hidden', 2000))) return;
      }
      throw new Error(`the menu entry ${entry} took no click`);
    },
    rowGone: (title, text) =>
      view(title)
        .locator('.monaco-list-row')
        .filter({ hasText: text })
        .first()
        .waitFor({ state: 'hidden', timeout: patience }),
    lineMark: async (text) => {
      const found = `(${lineMarks}).find((mark) => mark.text.includes(${JSON.stringify(text)}))?.className`;
      const handle = await page.waitForFunction<string>(found, undefined, { timeout: patience });
      return seen(page.locator(`.view-line .${await handle.jsonValue()}`));
    },
    noLineMark: async () => {
      await page.waitForFunction(`(${lineMarks}).length === 0`, undefined, { timeout: patience });
    },
    hover: (text) =>
      byKeys(['Control+K', 'Control+I'], async (timeout) => {
        const found = find('.monaco-hover:not(.hidden)', text).first();
        await found.waitFor({ timeout });
        return found;
      }),
    lens: (text) => seen(find('.editor-group-container.active .codelens-decoration a', text)),
    quickFix: (title) =>
      byKeys(['Control+.'], (timeout) =>
        page.locator('.action-widget .monaco-list-row').filter({ hasText: title }).first().click({ timeout }),
      ),
    save: async () => {
      await page.keyboard.press('Control+S');
      await page
        .locator('.tabs-container .tab.active.dirty')
        .first()
        .waitFor({ state: 'hidden', timeout: patience });
    },
    toast: (text) => seen(find('.notification-toast', text)),
    toastButton: async (text, button) => {
      const toast = await seen(find('.notification-toast', text));
      await toast.locator(`.monaco-button:has-text(${JSON.stringify(button)})`).click();
    },
    dialogText: async () => (await seen(page.locator('.monaco-dialog-box'))).innerText(),
    dialogButton: async (button) => {
      const dialog = await seen(page.locator('.monaco-dialog-box'));
      await dialog
        .locator(`.monaco-button:has-text(${JSON.stringify(button)})`)
        .first()
        .click();
      await page.locator('.monaco-dialog-box').waitFor({ state: 'hidden', timeout: patience });
    },
    answerInput: async (text) => {
      const input = await focusedInput();
      await input.fill(text);
      await input.press('Enter');
    },
    typeInput: async (text) => {
      await (await focusedInput()).fill(text);
    },
    acceptInput: async () => {
      await (await focusedInput()).press('Enter');
    },
    inputValue: async () => (await focusedInput()).inputValue(),
    inputBack: async () => {
      await focusedInput();
      await page.locator(`${quickInput} .quick-input-left-action-bar .action-label`).click();
    },
    question: async (text) => {
      const asked = JSON.stringify(text);
      await seen(
        page.locator(
          `${quickInput} :is(.quick-input-message:has-text(${asked}), input:focus[placeholder*=${asked}])`,
        ),
      );
    },
    pickItem: async (text) => {
      await focusedInput();
      await (await seen(page.locator(`${quickInput} .monaco-list-row`).filter({ hasText: text }))).click();
    },
    statusItem: (text) => seen(find('.part.statusbar .statusbar-item', text)),
    tab: (title) => seen(find('.tabs-container .tab', title)),
    line: async (text, times = 1) => {
      const found = find('.view-line', text).first();
      await found.waitFor({ timeout: times * patience });
      return found;
    },
    see: (selector, text) => seen(find(selector, text)),
    gone: (selector, text) => find(selector, text).first().waitFor({ state: 'hidden', timeout: patience }),
    screenshot: async (name) => {
      const path = join(screenshots, `${name}.png`);
      await page.screenshot({ path });
      return path;
    },
    leave: async () => {
      page.once('dialog', (dialog) => void dialog.accept());
      await page.goto('about:blank');
    },
    close,
  };
}
