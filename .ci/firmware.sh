# The builds of docs/builds.md: CMake, and what Zephyr, ESP-IDF, PlatformIO, Arduino and CMSIS-Pack are given.
# Sourced by run, whose functions it calls.

with_tools() { # the newest CMake
    PATH=$work/firmware/bin:$work/tools/bin:$PATH CMAKE_GENERATOR=Ninja CMAKE_C_COMPILER_LAUNCHER=ccache "$@"
}
cmake_runs() { # CMAKE ARGUMENT...: configured, built, and its tests pass
    with_tools "$1" -B "$log.build" "${@:2}" && with_tools cmake --build "$log.build" &&
        (cd "$log.build" && with_tools ctest --output-on-failure --no-tests=error)
}
compiled() { grep -o '"file": "[^"]*"' "$1/compile_commands.json" | grep -o 'csrc/.*\.c' | sort -u; }
same_sources() { # Meson's and CMake's
    with_tools meson setup -Dpython=disabled "$log.meson" && with_tools cmake -B "$log.cmake" -DCMAKE_EXPORT_COMPILE_COMMANDS=1 &&
        [ "$(compiled "$log.meson" | wc -l)" -gt 5 ] && diff <(compiled "$log.meson") <(compiled "$log.cmake")
}
found() { # what was installed, from a project of its own
    mkdir "$log.project" && cp examples/cmake/activation.c "$log.project" &&
        sed -e '/FetchContent_MakeAvailable\|include(/d' \
            -e "s/FetchContent_Declare.*/find_package(fastleaky $(python3 tools/release.py) REQUIRED)/" \
            examples/cmake/CMakeLists.txt >"$log.project/CMakeLists.txt" &&
        cmake_runs cmake -S "$log.project" -DCMAKE_PREFIX_PATH="$PWD/build/installed"
}
installed() { rm -rf build/cmake build/installed && with_tools bash -euc "$(readme cmake)" && found; }
on_cortex_m4() { rm -rf build/m4 && with_tools bash -euc "$(readme cmake-m4)"; }
as_a_script() { # ESP-IDF's first reading of a component
    printf '%s\n' 'macro(idf_component_register)' 'message("${ARGN}")' 'return()' 'endmacro()' \
        'include(CMakeLists.txt)' >"$log.cmake" && with_tools cmake -P "$log.cmake" 2>&1 | grep 'SRCS.*scalar.c.*INCLUDE_DIRS;csrc$'
}
esp_idf() {
    with_tools compote manifest lint idf_component.yml && with_tools compote component pack --name fastleaky --dest-dir "$log.esp" &&
        tar tf "$log.esp"/*.tgz | sort >"$log.list" && grep -q csrc/isa/scalar.c "$log.list" && ! grep tests "$log.list"
}
zephyr() {
    with_tools python - <<'PYTHON'
import kconfiglib, pathlib, yaml
module = yaml.safe_load(pathlib.Path("zephyr/module.yml").read_text())
assert module == {"name": "fastleaky", "build": {"cmake": ".", "kconfig": "zephyr/Kconfig"}}, module
menu = kconfiglib.Kconfig(module["build"]["kconfig"])
assert not menu.warnings and list(menu.syms["FASTLEAKY"].nodes) and "CONFIG_FASTLEAKY" in pathlib.Path("CMakeLists.txt").read_text()
PYTHON
}
platformio() { # what it would compile
    with_tools env PLATFORMIO_CORE_DIR="$log.core" python - "$log.pio" <<'PYTHON' &&
import json, sys, tarfile
from platformio import fs
from platformio.package.manifest.schema import ManifestSchema
from platformio.package.pack import PackagePacker
ManifestSchema.load_spdx_licenses = staticmethod(lambda: {"licenses": [{"licenseId": "MIT"}]}) # a list on the network
folder = sys.argv[1]
with tarfile.open(PackagePacker(".").pack(folder + ".tar.gz")) as archive:
    archive.extractall(folder) # our own; Debian 12 has no filter
build = json.load(open(f"{folder}/library.json"))["build"]
sources = fs.match_src_files(f"{folder}/{build['srcDir']}", build["srcFilter"], ["c"])
assert len(sources) > 5 and not any("threads" in source for source in sources), sources
print(*sources, sep="\n", file=open(folder + ".list", "w"))
PYTHON
        (cd "$log.pio/csrc" && gcc -fsyntax-only -Wall -Wextra -Werror -I. $(<"$log.pio.list"))
}
archives() {
    rm -rf build/archives && bash -euc "$(readme archives)" && mkdir "$log.arduino" "$log.pack" && python3 - "$log" <<'PYTHON' &&
import pathlib, sys, xml.etree.ElementTree, zipfile
for suffix, folder in (".zip", "arduino"), (".pack", "pack"):
    (archive,) = pathlib.Path("build/archives").glob(f"*{suffix}")
    zipfile.ZipFile(archive).extractall(f"{sys.argv[1]}.{folder}")
root = pathlib.Path(f"{sys.argv[1]}.pack")
files = {(f.get("category"), f.get("name")) for f in xml.etree.ElementTree.parse(root / "fastleaky.fastleaky.pdsc").iter("file")}
assert all((root / name).exists() for _, name in files), files
sources = {str(path.relative_to(root)) for path in root.rglob("*.c")}
assert sources == {name for category, name in files if category == "source"} and len(sources) > 5, files
PYTHON
        (cd "$log.arduino" && gcc -fsyntax-only -Wall -Wextra -Werror -Ifastleaky/src $(find fastleaky/src -name '*.c'))
}

firmware() {
    echo "== Builds that take the C library"
    python3 -m venv "$work/firmware" && python3 -m venv "$work/oldest"
    check "their tools" with_tools pip install -q platformio idf-component-manager kconfiglib pyyaml
    check "the oldest CMake" "$work/oldest/bin/pip" install -q 'cmake==3.16.*'
    at_once <<CHECKS
CMake: the checks by CTest, installed, found by find_package | installed
CMake, Clang, shared, in a project of unity builds | cmake_runs cmake -DCMAKE_C_COMPILER=clang-19 -DBUILD_SHARED_LIBS=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_BUILD_TYPE=Release
CMake's sources are Meson's | same_sources
CMake: a project of ten lines, by FetchContent | cmake_runs cmake -S examples/cmake -DFASTLEAKY=$PWD
CMake 3.16, the same | cmake_runs $work/oldest/bin/cmake -S examples/cmake -DFASTLEAKY=$PWD
CMake, another compiler: an error | fails neither.GCC.nor.Clang with_tools cmake -B $work/tcc -DCMAKE_C_COMPILER=tcc
ESP-IDF, by a stand-in | cmake_runs cmake -S tests/firmware -DFRAMEWORK=esp-idf
ESP-IDF, as a script | as_a_script
ESP-IDF's component manager | esp_idf
Zephyr, by a stand-in | cmake_runs cmake -S tests/firmware -DFRAMEWORK=zephyr
Zephyr's module and menu | zephyr
PlatformIO | platformio
Arduino and CMSIS-Pack | archives
CHECKS
}
