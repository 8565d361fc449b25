# Shared by ./dev and the scripts in tools/: steps, errors, packages, builds. Sourced, never run.
# Needs $root: the top of the tree.

python=/usr/bin/python3

step() { printf '==> %s\n' "$*"; }
warn() { printf 'dev: %s\n' "$*" >&2; }
fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# packages_of GROUP...: the packages of these groups, one a line.
packages_of() {
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 == group { print $2 }' "$root/tools/packages.txt"
  done
}

installed() { [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

# need_packages GROUP...: installs what is missing; without network when nothing is.
need_packages() {
  local package missing=() as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    warn "this is not Debian; please make sure that you have: $(packages_of "$@" | tr '\n' ' ')"
    return
  fi
  for package in $(packages_of "$@"); do
    installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  step "Installing ${#missing[@]} missing packages: ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "not root and no sudo; as root run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq ||
    fail "apt-get update failed; check the network and /etc/apt/sources.list"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]} (the project is built on Debian 12)"
}

# build_preset PRESET [TARGET...]: configures and builds build/PRESET.
build_preset() {
  local preset=$1 cache="$root/build/$1/CMakeCache.txt" fresh=()
  shift
  # A tree that was copied or moved carries a cache that names its old place.
  if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    fresh=(--fresh)
  fi
  step "Configuring build/$preset"
  (cd "$root" && cmake --preset "$preset" "${fresh[@]}" >"$(log_file "configure-$preset")" 2>&1) ||
    { tail -n 30 "$(log_file "configure-$preset")" >&2; fail "configuring $preset failed"; }
  grep -E '^-- MDP' "$(log_file "configure-$preset")" || true
  step "Building build/$preset"
  (cd "$root" && cmake --build --preset "$preset" ${1:+--target "$@"}) ||
    fail "building $preset failed: the first error is above"
}

log_file() {
  mkdir -p "$root/build/logs"
  printf '%s/build/logs/%s.log' "$root" "$1"
}

# run_tests PRESET [ctest arguments]: every test; those labelled `bench` one at a time, so that what
# they measure is undisturbed. Ends with "N passed, N failed[, N skipped]"; fails if a test did.
run_tests() {
  local preset=$1 status=0 exclude='' arguments=()
  local dir="$root/build/$1"
  local reports=("$dir/junit-parallel.xml" "$dir/junit-serial.xml")
  shift
  # CTest excludes only what matches every -LE; here each -LE excludes.
  while (($# > 0)); do
    case $1 in
      -LE | --label-exclude)
        exclude+="|${2:?-LE needs a pattern}"
        shift
        ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
  rm -f "${reports[@]}"
  step "Running the tests of build/$preset, two at a time"
  ctest --test-dir "$dir" -j2 --output-on-failure --output-junit "${reports[0]}" \
    -LE "^bench\$$exclude" "${arguments[@]}" || status=1
  step "Running the measuring tests, one at a time"
  ctest --test-dir "$dir" -j1 --output-on-failure --output-junit "${reports[1]}" \
    -L '^bench$' ${exclude:+-LE "${exclude#|}"} "${arguments[@]}" || status=1
  "$python" "$root/tools/ctest_summary.py" --ctest-status "$status" "${reports[@]}"
}
