#!/usr/bin/env bash
# Installs into an empty folder and uses what is there: the program, its completions, the
# shared library from a program that knows only pkg-config's answer.
#
#   test_install.sh BUILD_FOLDER SCRATCH_FOLDER C_COMPILER VERSION
set -euo pipefail

build=$1 compiler=$3 version=$4
scratch=$(mktemp -d "$2/install_XXXXXX")
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

fail() { echo "FAILED: $*"; exit 1; }

cmake --install "$build" --prefix "$prefix" >"$scratch/log" || { cat "$scratch/log"; exit 1; }
for file in bin/proffer include/proffer/proffer.h \
    share/bash-completion/completions/proffer share/zsh/site-functions/_proffer; do
    [ -s "$prefix/$file" ] || fail "$file was not installed"
done
bash -n "$prefix/share/bash-completion/completions/proffer" || fail "bash's completion"

[ -e "$prefix/share/proffer/examples/complete-journey/mapping.yaml" ] ||
    fail "the data of the demo were not installed"
"$prefix/bin/proffer" --version | grep -qF "$version" || fail "proffer --version"

# The library gives away the public calls and nothing else, and all of them.
library=$(find "$prefix" -name libproffer.so)
[ -n "$library" ] || fail "libproffer.so was not installed"
nm -D --defined-only "$library" | sed 's/.* //;s/@.*//' | sort -u >"$scratch/given"
grep -v '^proffer_' "$scratch/given" | grep -v '^PROFFER_0$' &&
    fail "the library gives away the symbols above"
grep -o '\bproffer_[a-z_]*(' "$prefix/include/proffer/proffer.h" | tr -d '(' | sort -u |
    while read -r call; do
        # Calls in the header's example are calls too; types never stand before a "(".
        grep -qx "$call" "$scratch/given" || fail "$call is in the header, not in the library"
    done

cat >"$scratch/host.c" <<'HOST'
#include <proffer/proffer.h>
#include <stdio.h>

int main(void)
{
    proffer *p = NULL;
    proffer_error err;
    if (proffer_open(&p, "no such workspace", &err) == PROFFER_OK || err.message[0] == '\0')
        return 1;
    puts(proffer_version());
    return 0;
}
HOST
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name proffer.pc)")
[ "$(pkg-config --modversion proffer)" = "$version" ] || fail "pkg-config's version"
read -ra flags < <(pkg-config --cflags --libs proffer)
"$compiler" -std=c17 -Wall -Wextra -Werror "$scratch/host.c" -o "$scratch/host" "${flags[@]}"
LD_LIBRARY_PATH=$(dirname "$library") "$scratch/host" | grep -qxF "$version" ||
    fail "a program with the library"
echo "installed, linked and run"
