/** The words behind `plumb` go to `plumb __complete`, which answers a line for each candidate: the word, a tab, its meaning. */
const bash = `# plumb completion for bash: source <(plumb completion bash)
_plumb() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(plumb __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _plumb plumb
`;

const zsh = `#compdef plumb
# plumb completion for zsh: source <(plumb completion zsh)
_plumb() {
  local line word
  local -a candidates
  for line in "\${(@f)$(plumb __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      word=\${line%%$'\\t'*}
      candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#candidates )) && _describe plumb candidates
}
compdef _plumb plumb
`;

const fish = `# plumb completion for fish: plumb completion fish | source
function __plumb_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (plumb __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      printf '%s\\n' $line
    end
  end
end
complete -c plumb -f -a '(__plumb_complete)'
`;

const powershell = `# plumb completion for PowerShell: plumb completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName plumb -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  # What stands behind the cursor is not for this word.
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  # An empty word would be lost on the way: the number says that it is there.
  $count = $words.Count
  if ($wordToComplete -eq '') { $count += 1 }
  # Quoted: a script of npm's in between would take a bare -- for itself.
  plumb __complete --count $count '--' @words 2>$null | ForEach-Object {
    $word, $meaning = $_ -split "\`t", 2
    if ($word -eq ':files') { return }
    if (-not $meaning) { $meaning = $word }
    [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
  }
}
`;

/** The completion script of each shell. */
export const shellScripts: Readonly<Record<string, string>> = { bash, zsh, fish, powershell };
