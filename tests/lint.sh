#!/bin/sh
#
# lint.sh: holds the borders that ARCHITECTURE.md draws between the parts, and the few
# rules of style that a machine can check. Prints every finding, then fails if any.

unset CDPATH
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
findings=$work/findings
: >"$findings"

# forbid MESSAGE PATTERN GREP-ARGUMENTS…: every line that matches is a finding.
forbid() {
    message=$1 pattern=$2
    shift 2
    grep -rnE "$pattern" "$@" 2>/dev/null | sed "s|^|$message: |" >>"$findings"
}

# As forbid, for C code: string literals and comments do not count. The arguments after
# the pattern are files.
forbid_code() {
    message=$1 pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    (cd "$work/code" && grep -HnE "$pattern" "$@") | sed "s|^|$message: |" >>"$findings"
}

# Makes $work/code, where forbid_code looks.
strip_all() {
    for file in $(sources cgi-bin worker lib); do
        mkdir -p "$work/code/${file%/*}"
        strip "$file" >"$work/code/$file"
    done
}

# C without comments and strings, its line numbers kept. Includes keep their names.
strip() {
    awk '
    /^[ \t]*#[ \t]*include/ { print; next }
    {
        line = $0; out = ""
        while (line != "") {
            if (comment) {
                end = index(line, "*/")
                if (!end) { line = ""; break }
                line = substr(line, end + 2); comment = 0
            } else if (match(line, /"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|\/\*|\/\//)) {
                token = substr(line, RSTART, RLENGTH)
                out = out substr(line, 1, RSTART - 1)
                line = substr(line, RSTART + RLENGTH)
                if (token == "/*") comment = 1
                else if (token == "//") line = ""
            } else { out = out line; line = "" }
        }
        print out
    }' "$1"
}

# sources DIR…: the C files below them.
sources() { find "$@" -name '*.[ch]' | LC_ALL=C sort; }
all_but() { sources cgi-bin worker lib | grep -vE "$1"; }

borders() {
    start_child='(^|[^a-zA-Z0-9_>.])(v?fork|exec[lv]p?e?|execvpe|fexecve|execveat|posix_spawnp?|clone3?|system|popen)[[:space:]]*\('
    # shellcheck disable=SC2046 # no file name here holds a space
    {
        forbid_code "libfcgi outside cgi-bin/fcgi.c" '#include.*(fcgiapp|fcgi_stdio|fcgios)\.h' \
            $(all_but '^cgi-bin/fcgi\.c$')
        forbid_code "SQLite outside lib/store" '#include.*sqlite3\.h' $(all_but '^lib/store/')
        forbid_code "starts a program outside worker/child.c" "$start_child" \
            $(all_but '^worker/child\.c$')
        forbid_code "main() in lib" '(^|[^a-zA-Z0-9_])main[[:space:]]*\(' $(sources lib)
        forbid_code "lib includes another part" '#include.*(cgi-bin|worker)/' $(sources lib)
        forbid_code "cgi-bin includes the worker" '#include.*worker/' $(sources cgi-bin)
        forbid_code "worker includes cgi-bin" '#include.*cgi-bin/' $(sources worker)
    }
    foreign_headers lib "cgi-bin worker"
    foreign_headers cgi-bin worker
    foreign_headers worker cgi-bin
}

# foreign_headers DIR "OTHERS": DIR includes by its bare name no header of the others.
foreign_headers() {
    for other in $2; do
        names=
        for header in "$other"/*.h; do
            name=${header##*/}
            [ ! -e "$header" ] || [ -e "$1/$name" ] || names="$names|${name%.h}"
        done
        # shellcheck disable=SC2046
        [ -z "$names" ] || forbid_code "$1 includes a header of $other" \
            "#include[[:space:]]*[\"<](${names#|})\.h[\">]" $(sources "$1")
    done
}

style() {
    forbid "unfinished" '(^|[^a-zA-Z0-9_])(XXX|TODO|FIXME)([^a-zA-Z0-9_]|$)' \
        --include='*.[ch]' --include='*.sql' --include='*.svelte' --include='*.ts' \
        --include='*.mjs' --include='*.conf' --exclude-dir=node_modules \
        cgi-bin worker lib htdocs tests etc
    forbid "a component that talks HTTP" '(^|[^a-zA-Z0-9_])(fetch[[:space:]]*\(|XMLHttpRequest)' \
        --include='*.svelte' --exclude-dir=node_modules htdocs
    too_long 500 'cgi-bin worker lib tests' '*.[ch]'
    too_long 150 htdocs '*.svelte'
}

# too_long LINES "DIRS" PATTERN
too_long() {
    # shellcheck disable=SC2086 # a list of folders
    find $2 -name node_modules -prune -o -name "$3" -type f -print | while read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le "$1" ] || echo "longer than $1 lines: $file: $lines" >>"$findings"
    done
}

# Versions of clang-format disagree about details; the code is formatted by 14.
formatting() {
    clang-format --version 2>/dev/null | grep -q 'version 14\.' || return 0
    sources cgi-bin worker lib tests/unit tests/fuzz >"$work/all"
    # Some at a time, as each start takes its time; those with a fault one by one.
    xargs -n 40 -P 2 sh -c 'clang-format --dry-run -Werror "$@" 2>/dev/null || printf "%s\n" "$@"' sh \
        <"$work/all" | while read -r file; do
        clang-format --dry-run -Werror "$file" 2>/dev/null ||
            echo "not formatted (clang-format -i): $file" >>"$findings"
    done
}

scripts() {
    command -v shellcheck >/dev/null || return 0
    shellcheck -S warning run.sh .ci/run etc/*.sh tests/*.sh >>"$findings" || :
}

strip_all
borders
style
formatting
scripts
cat "$findings"
if [ -s "$findings" ]; then
    echo "lint: see above" >&2
    exit 1
fi
echo "lint: nothing found"
