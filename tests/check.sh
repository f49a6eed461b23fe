#!/usr/bin/env bash
#
# check.sh: every test there is, one stage after another, with the time of each. Called
# by `make check`, which tells it the compiler and the build folder. A stage that fails
# does not keep the later ones from telling what they know.

set -uo pipefail
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

cc=${CC:-gcc}
build=${BUILD:-build}
other=clang
[[ $cc != *clang* ]] || other=gcc
jobs=-j$(nproc)
# A make above this one has its own idea of jobs and variables.
unset MAKEFLAGS MFLAGS MAKELEVEL

summary=()
notes=() # what the summary says besides
failed=0

# stage NAME COMMAND…
stage() {
    local name=$1 start=$SECONDS result=ok
    shift
    printf '\n==== %s ====\n' "$name"
    "$@" </dev/null || result=FAILED
    [[ $result == ok ]] || failed=1
    summary+=("$(printf '  %-28s %-7s %4d s' "$name" "$result" $((SECONDS - start)))")
    [[ $result == ok ]]
}

make_here=(make --no-print-directory CC="$cc" BUILD="$build")
here() { "${make_here[@]}" "$@"; }

# Two that encode at a time, and beside them three that mostly wait. What fails in that
# crowd is run once more, alone, and named: no machine is to blame for a second failure.
served_tests() {
    local busy
    rm -f "$build"/tests/{http,browser}/*.ran
    here "$jobs" served || return # before there are two of make
    here -j2 -k -Otarget busy-tests &
    busy=$!
    here -j3 -k -Otarget other-tests
    local others=$?
    wait "$busy" && [[ $others -eq 0 ]] && return
    second_try
}

# Why tests were left out, and how many for each reason.
tell_skipped() {
    local line
    while read -r line; do notes+=("  left out: ${line:0:100}"); done < <(
        grep -hE '^ *﹣ .* # ' "$build"/tests/{http,browser}/*.ran 2>/dev/null |
            sed 's/.* # //' | sort | uniq -c | sort -rn)
}

readonly SECOND_TRIES=3 # files; of more than that it is not the crowd that fails them
second_try() {
    local -a again ran all
    ran=("$build"/tests/{http,browser}/*.ran) all=(tests/{http,browser}/*.test.mjs)
    [[ ${#ran[@]} -eq ${#all[@]} ]] || return
    mapfile -t again < <(grep -ls '^failed: ' "$build"/tests/{http,browser}/*.ran)
    [[ ${#again[@]} -gt 0 && ${#again[@]} -le $SECOND_TRIES ]] || return
    printf '\n---- once more, alone: %s\n' "${again[*]}"
    here -j1 -k "${again[@]}" || return
    ! grep -h '^failed: ' "${again[@]}" || return
    notes+=("${again[@]/#/  failed among others, passed alone: }")
}

stage "build ($cc, pages)" here "$jobs" all ui
built=$?
# All of them run as one more compiler and the sanitizers see them, and those that take no
# long time as $cc does: that made what the tests over HTTP run.
stage "unit tests ($cc, the short ones)" here "$jobs" -k unit-short
if ! command -v "$other" >/dev/null; then
    summary+=("  $other is not installed: the sanitizers are those of $cc")
    other=$cc
fi
# A minute for each, all at the same time, of what the stages beside them leave: how far
# one comes depends on the cores.
fuzz_log=$build/fuzz.log fuzzing=''
fuzzed() {
    local result
    wait "$fuzzing"
    result=$?
    cat "$fuzz_log"
    return "$result"
}
if ! command -v clang >/dev/null; then
    summary+=("  fuzzing: skipped, clang is not installed")
elif stage "fuzzers" here "$jobs" fuzzers; then
    nice -n 5 "${make_here[@]}" -j fuzz FUZZ_S=60 >"$fuzz_log" 2>&1 </dev/null &
    fuzzing=$!
fi
# One more at a time than there are cores: some wait most of their time.
stage "unit tests ($other, ASan, UBSan)" here -j$(($(nproc) + 1)) CC="$other" asan
stage "lint" here lint
stage "pages: types and tests" here "$jobs" -k -Otarget ui-tests
[[ -z $fuzzing ]] || stage "fuzzing (a minute each)" fuzzed
if [[ $built -eq 0 ]]; then
    stage "http and browser tests" served_tests
    tell_skipped
else
    summary+=("  http and browser tests: skipped, the build failed")
fi

printf '\n==== summary: %d s ====\n' "$SECONDS"
printf '%s\n' "${summary[@]}" "${notes[@]}"
exit "$failed"
