/**
 * A script for each shell. It runs the program to get the words, so an old script still knows the commands of a new program. The answer
 * has one word a line. Its first line says whether the shell adds names of files. No word has characters that are special for a shell.
 */
export const completionScripts = {
  bash: `# Completion of coordinator for bash. To use it: source <(coordinator completion bash)
_coordinator() {
  local line kind=''
  COMPREPLY=()
  # An equals sign separates words for bash. The program gets the words as the user wrote them.
  local current="\${COMP_LINE:0:COMP_POINT}"
  local -a words=()
  read -r -a words <<< "$current"
  [[ "$current" =~ [[:space:]]$ ]] && words+=('')
  local last="\${words[\${#words[@]}-1]}"
  while IFS= read -r line; do
    if [[ -z "$kind" ]]; then kind="$line"; continue; fi
    [[ "$last" == --*=* ]] && line="\${line#*=}"
    COMPREPLY+=("$line")
  done < <("\${words[0]}" complete-words -- "\${words[@]:1}" 2>/dev/null)
  if [[ "$kind" == files ]]; then
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _coordinator coordinator
`,
  zsh: `#compdef coordinator
# Completion of coordinator for zsh. To use it: source <(coordinator completion zsh)
_coordinator() {
  local -a lines
  local failed=1
  lines=("\${(@f)$("\${words[1]}" complete-words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  local kind="\${lines[1]}"
  lines=("\${(@)lines[2,-1]}")
  (( \${#lines} )) && [[ -n "\${lines[1]}" ]] && compadd -- "\${(@)lines}" && failed=0
  [[ "$kind" == files ]] && _files && failed=0
  return failed
}
compdef _coordinator coordinator
`,
  fish: `# Completion of coordinator for fish. To use it: coordinator completion fish | source
function __coordinator_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] complete-words -- $words[2..-1] 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    if test "$lines[1]" = files
        __fish_complete_path (commandline -ct)
    end
end
complete -c coordinator -f -a '(__coordinator_complete)'
`,
} as const satisfies Readonly<Record<string, string>>
