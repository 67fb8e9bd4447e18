complete -c gradstep -a '(gradstep completion words (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
