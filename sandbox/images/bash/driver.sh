# Reads cells from descriptor 3 and runs them; see sandbox/runner/records.py for what it says on descriptor 4.
# An interactive shell comes back to its prompt after an interrupt, whatever it was doing: so this is one,
# and its prompt is what reads the next cell. No function does it: what a cell declares would be local to that.
# Sourced and not evaluated, a cell's errors tell its own lines.
set +H +m
PS1= PS2=
unset HISTFILE
PROMPT_COMMAND='
if [[ -n ${__madang_cell-} ]]; then
    printf "error\nInterrupted\nThe cell was interrupted.\0done\0" >&4
else
    printf "ready\0" >&4
fi
while IFS= read -r -d "" -u 3 __madang_cell; do
    . <(printf "%s\n" "$__madang_cell") 3<&- 4>&-
    __madang_status=$?
    __madang_cell=
    ((__madang_status)) && printf "error\nExitStatus\n%s\0" "The last command ended with status $__madang_status." >&4
    printf "done\0" >&4
done
exit'
