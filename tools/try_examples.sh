#!/usr/bin/env bash
# try_examples.sh PREFIX BUILD: uses an installed MDP as a stranger would. PREFIX: where it lies;
# BUILD: where examples/ were built against it.
set -euo pipefail
trap 'echo "try_examples.sh: line $LINENO failed: $BASH_COMMAND" >&2' ERR
prefix=$1 build=$2

"$build/hello" | grep -qx 'client: delivered'
echo "    hello: delivered over the installed socket plugin"

"$build/c_hello" | grep -qx 'client: delivered'
echo "    c_hello: the same in C"
[[ $("$build/shapes" | grep -Ec ': ([0-9]+) of \1 delivered$') == 5 ]]
echo "    shapes: five shapes of sending, all delivered"

MDP_PLUGIN_PATH="$build/plugins" "$prefix/bin/mdp" list transports >"$build/transports.txt"
grep -Eq '^skeleton +0\.1\.0 +1 +yes' "$build/transports.txt"
grep -Eq '^socket .*yes' "$build/transports.txt"
echo "    mdp list transports: the example's plugin and the installed ones are usable"

pc="$(dirname "$(find "$prefix" -name mdp.pc)")"
printf '%s\n' '#include "mdp/base/endpoint_address.hpp"' '#include <cstdio>' \
  'int main() { std::puts(mdp::to_string(mdp::simulated_address(7, 1)).c_str()); }' >"$build/pc.cpp"
# shellcheck disable=SC2046  # several words are wanted
g++ "$build/pc.cpp" -o "$build/pc" $(PKG_CONFIG_PATH="$pc" pkg-config --cflags --libs mdp)
[[ "$("$build/pc")" == sim:7:1 ]]
echo "    pkg-config: a program links"
