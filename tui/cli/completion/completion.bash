_gradstep() {
    local IFS=$'\n'
    COMPREPLY=($(gradstep completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _gradstep gradstep
