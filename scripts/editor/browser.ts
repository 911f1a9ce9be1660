import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EditorTools } from './editorTools.ts';

// The part of playwright-core's API used here: the package lies in the cache, so its own types are out of reach.

export interface WaitOptions {
  readonly timeout?: number;
}

export interface Locator {
  first(): Locator;
  nth(index: number): Locator;
  locator(selector: string): Locator;
  filter(options: { readonly hasText?: string | RegExp; readonly has?: Locator }): Locator;
  count(): Promise<number>;
  click(
    options?: WaitOptions & {
      readonly button?: 'left' | 'right';
      readonly position?: { readonly x: number; readonly y: number };
      readonly force?: boolean;
    },
  ): Promise<void>;
  dblclick(options?: WaitOptions): Promise<void>;
  hover(options?: WaitOptions & { readonly force?: boolean }): Promise<void>;
  fill(text: string): Promise<void>;
  focus(): Promise<void>;
  press(key: string): Promise<void>;
  pressSequentially(text: string): Promise<void>;
  innerText(options?: WaitOptions): Promise<string>;
  inputValue(): Promise<string>;
  allInnerTexts(): Promise<string[]>;
  getAttribute(name: string, options?: WaitOptions): Promise<string | null>;
  isVisible(): Promise<boolean>;
  waitFor(
    options?: WaitOptions & { readonly state?: 'visible' | 'hidden' | 'attached' | 'detached' },
  ): Promise<void>;
  boundingBox(): Promise<{ x: number; y: number; width: number; height: number } | null>;
  screenshot(options: { readonly path: string }): Promise<unknown>;
}

export interface Page {
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  readonly mouse: { move(x: number, y: number): Promise<void> };
  goto(url: string, options?: WaitOptions): Promise<unknown>;
  locator(selector: string): Locator;
  screenshot(options: { readonly path: string }): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until the expression gives something that is not false. */
  waitForFunction<T>(
    expression: string,
    argument?: unknown,
    options?: WaitOptions,
  ): Promise<{ jsonValue(): Promise<T> }>;
  once(event: 'dialog', listener: (dialog: { accept(): Promise<void> }) => void): void;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  close(): Promise<void>;
}

export interface BrowserContext {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

export interface Browser {
  newContext(options?: {
    readonly viewport?: { readonly width: number; readonly height: number };
    readonly deviceScaleFactor?: number;
    readonly permissions?: readonly string[];
  }): Promise<BrowserContext>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: {
    launch(options: {
      readonly executablePath: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
    }): Promise<Browser>;
  };
}

/** A headless browser with the cached tools' libraries and fonts; its temporary files go when it closes. */
export async function launchBrowser(tools: EditorTools): Promise<Browser> {
  const { chromium } = (await import(pathToFileURL(tools.playwright).href)) as Playwright;
  const home = await mkdtemp(join(tmpdir(), 'plumb-browser-'));
  const browser = await chromium.launch({
    executablePath: tools.chromium,
    args: ['--no-sandbox', '--disable-gpu', '--headless=shell', '--hide-scrollbars'],
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home, ...tools.chromiumEnv },
  });
  return {
    newContext: (options) => browser.newContext(options),
    close: async () => {
      await browser.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
