# Installing with no compiler, with no Python.h, with a bug in our C, and on other machines.
# Sourced by run, whose functions it calls.

hide_compilers() { # a PATH with everything but compilers
    local command
    mkdir "$work/bin"
    for command in /usr/local/bin/* /usr/bin/* /bin/*; do
        case ${command##*/} in
            *gcc* | *g++* | *clang* | cc | c++ | c89* | c99* | cpp* | tcc | icc | icx | *-cc) ;;
            *) ln -sf "$command" "$work/bin/" ;;
        esac
    done
    ln -sf "$(python3 -c 'import sys; print(sys.executable)')" "$work/bin/python3"
}
uncompiled() { PATH=$work/bin "$@"; }

fresh_clone() { rm -rf "${work:?}/$1" && git clone -q . "$work/$1"; } # NAME
# A wheel of a clone; but for the first one, with the tools that are installed already.
isolated() { cd "$work/$1" && python3 -m pip wheel -q --no-deps . -w "$log.wheels"; } # CLONE
wheel() { # CLONE OPTION...
    cd "$work/$1" && PATH=$work/tools/bin:$PATH &&
        python3 -m pip wheel -q --no-deps --no-build-isolation . -w "$log.wheels" "${@:2}"
}
wheel_is() { # KIND COMMAND...: the command builds one wheel, whose name ends so, with the package and nothing else
    "${@:2}" && ls "$log.wheels" && [ "$(ls "$log.wheels")" = "$(basename "$log".wheels/fastleaky-*-"$1".whl)" ] &&
        ! python3 -m zipfile -l "$log".wheels/*.whl | grep -vE 'fastleaky/|dist-info/|File Name'
}
fails() { # PATTERN COMMAND...: the command fails, and says so
    ! "${@:2}" >"$log.fails" 2>&1 && grep -E "$1" "$log.fails"
}
without_headers() { # CLONE
    local headers
    headers=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    export -f wheel
    work=$work log=$log unshare -m bash -c "mount -t tmpfs none '$headers' && wheel $1"
}
with_a_bug() {
    fresh_clone bug && echo "int fl_broken(void) { return }" >>"$work/bug/csrc/dispatch.c" && wheel bug
}
pure_elsewhere() { # Numba has no wheels there: it must not be asked for
    python3 - <<'PYTHON'
import pathlib, tomllib
from pip._vendor.packaging.requirements import Requirement
dependencies = map(Requirement, tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["dependencies"])
numba = next(dependency for dependency in dependencies if dependency.name == "numba")
for machine, wanted in {"x86_64": True, "aarch64": True, "armv7l": False, "riscv64": False, "s390x": False}.items():
    assert numba.marker.evaluate({"platform_machine": machine}) == wanted, machine
PYTHON
}

with_zig() { # those that the cross-check does not build and install
    fresh_clone zig && cd "$work/zig" && bash -euc "$(readme wheels) manylinux_2_17_ppc64le musllinux_1_2_armv7l win_arm64 macosx_11_0_arm64"
}

readme_uncompiled() { (cd "$work/uncompiled" && uncompiled bash -euc "$(readme "$1")"); }

packaging() {
    echo "== Packaging"
    hide_compilers
    fresh_clone wheels
    fresh_clone uncompiled
    at_once <<CHECKS
a compiler: wheel for the stable ABI | wheel_is cp311-abi3-linux_$(uname -m) isolated wheels
no compiler: pure wheel | wheel_is py3-none-any uncompiled wheel wheels
no Python.h: pure wheel | wheel_is py3-none-any without_headers wheels
no compiler, native=enabled: an error | fails Unknown.compiler uncompiled wheel wheels --config-settings=setup-args=-Dnative=enabled
native=disabled: pure wheel | wheel_is py3-none-any wheel wheels --config-settings=setup-args=-Dnative=disabled
a bug in our C: an error | fails dispatch.c.*error: with_a_bug
Numba is asked for only where it has wheels | pure_elsewhere
CHECKS
    check "wheels for four other platforms" with_zig
    check "README: try, no compiler" readme_uncompiled try
    sed -n '/^fastleaky/,$p' "$log"
    # Without C the tests of the ways to choose a backend differ; Numba and NumPy compute what they do beside C.
    export PYTEST_ADDOPTS="tests/test_choice.py tests/test_cli.py tests/test_errors.py tests/test_quantized.py"
    check_all "README: test, no compiler" readme_uncompiled test
}
