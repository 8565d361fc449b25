"""Every .cpp and .hpp is named in a CMakeLists.txt or .cmake file: nothing lies unbuilt."""

import os
import re

import lint_common as lint

TOKEN = re.compile(r"[\w./${}\-+]*\.(?:cpp|hpp)\b")
VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def patterns_of(root, cmake_file):
    """Regular expressions over relative paths, one for each source that this CMake file names."""
    here = os.path.dirname(cmake_file)
    known = {"PROJECT_SOURCE_DIR": "", "CMAKE_SOURCE_DIR": "", "CMAKE_CURRENT_SOURCE_DIR": here,
             "CMAKE_CURRENT_LIST_DIR": here, "MDP_INCLUDE": "framework/include/mdp"}
    text = re.sub(r"#.*", "", lint.read(root, cmake_file))
    for token in TOKEN.findall(text):
        start = VARIABLE.match(token)
        if start and start.group(1) in known:
            token = known[start.group(1)] + token[start.end():]
        else:
            token = os.path.join(here, token)
        token = os.path.normpath(token.lstrip("/"))
        # A variable inside a name (a foreach over test names) stands for part of one name only.
        parts = VARIABLE.split(token)
        yield "[^/]+".join(re.escape(part) for part in parts[::2])


def main():
    root = lint.parse_root(__doc__)
    cmake_files = lint.walk(root, None, (".cmake",), ("CMakeLists.txt",))
    named = re.compile("|".join({p for f in cmake_files for p in patterns_of(root, f)}) or r"(?!)")
    lint.finish([f"{path}:1: no CMakeLists.txt names this file; list it or remove it"
                 for path in lint.code_files(root) if not named.fullmatch(path)])


if __name__ == "__main__":
    main()
