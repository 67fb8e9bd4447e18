#compdef gradstep
_gradstep() {
    local -a found
    found=("${(@f)$(gradstep completion words "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a found
    _files
}
compdef _gradstep gradstep
