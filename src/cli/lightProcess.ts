import { setFlagsFromString } from 'node:v8';

/** Input from which on optimised machine code is worth its price: some thousand objects. */
const largeInput = 1024 * 1024;

/**
 * Sets the process up for work that is done before it would pay to compile it well and to let the heap grow: half the
 * memory, and less time. Gives the function to call with the bytes read so far; from a large input on V8 works as usual.
 */
export function lightProcess(): (readBytes: number) => void {
  let isLight = true;
  setFlags('--no-opt', '--no-maglev', '--semi-space-growth-factor=1');
  return (readBytes) => {
    if (!isLight || readBytes < largeInput) return;
    isLight = false;
    setFlags('--opt', '--maglev', '--semi-space-growth-factor=2');
  };
}

function setFlags(...flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}
