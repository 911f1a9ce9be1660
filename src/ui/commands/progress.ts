import * as vscode from 'vscode';

/** Runs work with a cancellable notification that appears only when it takes a while. */
export async function withCancellableProgress<T>(
  title: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const running = work(controller.signal);
  // In the window first: a notification only for what takes long enough to be wondered about.
  const isQuick = await Promise.race([
    vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: `Plumb: ${title}` }, () =>
      running.then(
        () => true,
        () => true,
      ),
    ),
    new Promise<false>((done) => setTimeout(() => done(false), patienceMs)),
  ]);
  if (isQuick) return running;
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Plumb: ${title}`, cancellable: true },
    async (_, token) => {
      const subscription = token.onCancellationRequested(() => controller.abort());
      try {
        return await running;
      } finally {
        subscription.dispose();
      }
    },
  );
}

const patienceMs = 1500;

/** Runs work of several steps with a cancellable notification that tells the step. */
export async function withSteps<T>(
  title: string,
  follow: (report: (step: string) => void) => { dispose(): void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Plumb: ${title}`, cancellable: true },
    async (progress, token) => {
      const controller = new AbortController();
      const subscription = vscode.Disposable.from(
        token.onCancellationRequested(() => controller.abort()),
        follow((step) => progress.report({ message: step })),
      );
      try {
        return await work(controller.signal);
      } finally {
        subscription.dispose();
      }
    },
  );
}
