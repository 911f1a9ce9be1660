const escapeSequence = /\u001b\[[0-9;]*m/g;

/** Text columns as kubectl prints them: upper-case titles, three spaces between, nothing padded at the line's end. */
export function formatTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles.map((title) => title.toUpperCase()), ...rows];
  const widths = titles.map((_, column) =>
    Math.max(...lines.map((line) => visibleLength(line[column] ?? ''))),
  );
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => padded(cell, widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

function padded(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - visibleLength(cell)));
}

/** Characters a terminal shows: colour sequences take no room. */
export function visibleLength(text: string): number {
  return text.replace(escapeSequence, '').length;
}
