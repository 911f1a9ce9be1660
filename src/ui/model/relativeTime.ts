const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** How long ago an RFC 3339 time was, in one unit: `4 min ago`, `just now`; undefined when it is none. */
export function relativeTime(time: string, now: number): string | undefined {
  const seconds = (now - Date.parse(time)) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  for (const [unit, length] of units)
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return 'just now';
}
