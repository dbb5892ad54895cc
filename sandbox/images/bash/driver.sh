# Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.
# An interactive shell comes back to its prompt after an interrupt, whatever it was doing: so this is one,
# and its prompt is what reads the next cell. No function does it: what a cell declares would be local to that.
# Sourced and not evaluated, a cell's errors tell its own lines.
set +H +m
PS1= PS2=
unset HISTFILE

__madang_complete() {
    local word before
    [[ $1 =~ [^[:space:]\;\|\&\(\)\<\>=\"\'\`]*$ ]]
    word=${BASH_REMATCH[0]} before=${1%"${BASH_REMATCH[0]}"}
    before=${before%"${before##*[! ]}"}
    printf 'answer\n%s\n' "$word" >&4
    case $word in
        '${'*) compgen -v -P '${' -S '}' -- "${word:2}" ;;
        '$'*) compgen -v -P '$' -- "${word:1}" ;;
        *)
            [[ $before == *[\;\|\&\(\`$'\n'] || -z $before ]] && compgen -c -- "$word" | grep -v ^__madang_
            compgen -f -- "$word" | while IFS= read -r file; do [[ -d $file ]] && echo "$file/" || echo "$file"; done
            ;;
    esac | sort -u >&4
    printf '\0' >&4
}

__madang_inspect() {
    [[ $1 =~ [^[:space:]\;\|\&\(\)\<\>=\"\'\`\$\{]+$ ]] || return
    local name=${BASH_REMATCH[0]}
    printf 'answer\n%s\0' "$(
        case $(type -t -- "$name") in
            function) declare -f -- "$name" ;;
            builtin | keyword) help -- "$name" ;;
            '') declare -p -- "$name" ;;
            *) type -- "$name" ;;
        esac 2>/dev/null
    )" >&4
}

__madang_whole() {
    local wrong whole=complete
    wrong=$(LC_ALL=C bash -n <<<"$1" 2>&1)
    case $wrong in
        *'unexpected end of file'* | *'unexpected EOF'* | *'delimited by end-of-file'*) whole=incomplete ;;
        ?*) whole=invalid ;;
    esac
    [[ $1 == *\\ ]] && whole=incomplete
    printf 'answer\n%s\0' "$whole" >&4
}

PROMPT_COMMAND='
if [[ -n ${__madang_cell-} ]]; then
    printf "error\nInterrupted\nThe cell was interrupted.\0done\0" >&4
else
    printf "ready\0" >&4
fi
while IFS= read -r -d "" -u 3 __madang_cell; do
    case $__madang_cell in
        run*)
            . <(printf "%s\n" "${__madang_cell:4}") 3<&- 4>&-
            __madang_status=$?
            ((__madang_status)) && printf "error\nExitStatus\n%s\0" "The last command ended with status $__madang_status." >&4
            ;;
        complete*) __madang_complete "${__madang_cell:9}" ;;
        inspect*) __madang_inspect "${__madang_cell:8}" ;;
        whole*) __madang_whole "${__madang_cell:6}" ;;
    esac
    __madang_cell=
    printf "done\0" >&4
done
exit'
