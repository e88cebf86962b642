"""Scripts that complete commands, options and their values in bash, zsh and fish.

They are made of the tree of commands and hold all that they need: no program runs when a key is
pressed. All three find the *place* first, the words that are commands, as in `/cache/list`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from shlex import quote

from phasic.cli.command_tree import Node, Parameter


def _place(node: Node) -> str:
    return "".join(f"/{word}" for word in node.path)


def _words(texts: Iterable[str]) -> str:
    return quote(" ".join(texts))


def _option_names(node: Node) -> list[str]:
    return [name for option in node.options for name in option.names]


def _taking(nodes: list[Node]) -> Iterator[tuple[Node, Parameter]]:
    """Options that take a value."""
    for node in nodes:
        for option in node.options:
            if option.takes:
                yield node, option


# ---- bash

_BASH = """\
# Completion of phasic for bash:
#   source <(phasic completion bash)
# or write it to ~/.local/share/bash-completion/completions/phasic
_phasic() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    local place= words= files= index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "$place/${{COMP_WORDS[index]}}" in
            {places}) place="$place/${{COMP_WORDS[index]}}" ;;
        esac
    done
    case "$place:$prev" in
{values}
    esac
    if [[ $words$files == "" ]]; then
        case "$place:$cur" in
{names}
        esac
    fi
    if [[ $files == yes ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}}
complete -F _phasic phasic"""


def _bash(nodes: list[Node]) -> str:
    values, names = [], []
    for node, option in _taking(nodes):
        for name in option.names:
            then = "return"
            if option.choices:
                then = f"words={_words(option.choices)}"
            elif option.files:
                then = "files=yes"
            values.append(f"        {quote(f'{_place(node)}:{name}')}) {then} ;;")
    for node in nodes:
        place = _place(node)
        names.append(f"            {quote(f'{place}:-')}*) words={_words(_option_names(node))} ;;")
        first = node.children or node.choices
        then = f"words={_words(first)}" if first else "files=yes" if node.files else "return"
        names.append(f"            {quote(f'{place}:')}*) {then} ;;")
    return _BASH.format(
        places="|".join(_place(node) for node in nodes if node.path),
        values="\n".join(values),
        names="\n".join(names),
    )


# ---- zsh

_ZSH = """\
#compdef phasic
# Completion of phasic for zsh:
#   source <(phasic completion zsh)     (after compinit)
# or write it to a file _phasic in a directory of $fpath
_phasic() {{
    local place= word prev=${{words[CURRENT-1]}}
    local -a names options
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$place/$word" in
            ({places}) place="$place/$word" ;;
        esac
    done
    case "$place:$prev" in
{values}
    esac
    case "$place" in
{names}
    esac
    if [[ ${{words[CURRENT]}} == -* ]]; then
        _describe -o option options
    elif (( $#names )); then
        _describe word names
    fi
}}
if [[ $funcstack[1] == _phasic ]]; then
    _phasic "$@"
else
    compdef _phasic phasic
fi"""


def _described(name: str, text: str) -> str:
    """`name:text` as `_describe` takes it: a colon in the name is escaped."""
    escaped = name.replace("\\", "\\\\").replace(":", "\\:")
    return quote(f"{escaped}:{text}" if text else escaped)


def _zsh(nodes: list[Node]) -> str:
    short = {_place(node): node.help for node in nodes}
    values, names = [], []
    for node, option in _taking(nodes):
        place = "|".join(quote(f"{_place(node)}:{name}") for name in option.names)
        if option.choices:
            listed = " ".join(_described(choice, "") for choice in option.choices)
            then = f"names=({listed}); _describe value names; return"
        elif option.files:
            then = "_files; return"
        else:
            then = f"_message {quote(f'{option.takes}: {option.help}')}; return"
        values.append(f"        ({place}) {then} ;;")
    for node in nodes:
        options = [
            _described(name, option.help) for option in node.options for name in option.names
        ]
        children = [_described(one, short[f"{_place(node)}/{one}"]) for one in node.children]
        first = children or [_described(choice, "") for choice in node.choices]
        names.append(f"        ({quote(_place(node))})")
        names.append(f"            options=({' '.join(options)})")
        if first:
            names.append(f"            names=({' '.join(first)})")
        elif node.files:
            names.append("            [[ ${words[CURRENT]} == -* ]] || { _files; return }")
        names.append("            ;;")
    return _ZSH.format(
        places="|".join(_place(node) for node in nodes if node.path),
        values="\n".join(values),
        names="\n".join(names),
    )


# ---- fish

_FISH = """\
# Completion of phasic for fish:
#   phasic completion fish | source
# or write it to ~/.config/fish/completions/phasic.fish
function __phasic_at
    set -l place ""
    set -l words (commandline -opc)
    for word in $words[2..-1]
        switch "$place/$word"
            case {places}
                set place "$place/$word"
        end
    end
    test "$place" = "$argv[1]"
end
complete -c phasic -f
{lines}"""


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _fish(nodes: list[Node]) -> str:
    short = {_place(node): node.help for node in nodes}
    lines = []
    for node in nodes:
        condition = _fish_quoted(f"__phasic_at {_fish_quoted(_place(node))}")
        start = f"complete -c phasic -n {condition}"
        for child in node.children:
            text = _fish_quoted(short[f"{_place(node)}/{child}"])
            lines.append(f"{start} -a {child} -d {text}")
        if node.choices:
            lines.append(f"{start} -a {_fish_quoted(' '.join(node.choices))}")
        elif node.files:
            lines.append(f"{start} -F")
        for option in node.options:
            flags = [f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names]
            if option.takes:
                flags.append("-r -F" if option.files else "-x")
            if option.choices:
                flags.append(f"-a {_fish_quoted(' '.join(option.choices))}")
            lines.append(f"{start} {' '.join(flags)} -d {_fish_quoted(option.help)}")
    places = " ".join(_place(node) for node in nodes if node.path)
    return _FISH.format(places=places, lines="\n".join(lines))


SCRIPTS: dict[str, Callable[[list[Node]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
