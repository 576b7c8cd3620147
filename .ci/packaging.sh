# Installing with no compiler, with no Python.h, with a bug in our C, and on other machines.
# Sourced by run, whose functions it calls.

# A PATH with everything but compilers.
mkdir "$work/bin"
for command in /usr/local/bin/* /usr/bin/* /bin/*; do
    case ${command##*/} in
        *gcc* | *g++* | *clang* | cc | c++ | c89* | c99* | cpp* | tcc | icc | icx | *-cc) ;;
        *) ln -sf "$command" "$work/bin/" ;;
    esac
done
ln -sf "$(python3 -c 'import sys; print(sys.executable)')" "$work/bin/python3"
uncompiled() { env PATH="$work/bin" "$@"; }

wheel_is() { # KIND COMMAND...: the command builds one wheel whose name ends so
    local kind=$1
    shift
    rm -rf "$work/wheels"
    "$@" -w "$work/wheels" && ls "$work/wheels" && ls "$work"/wheels/fastleaky-*-"$kind".whl
}
pip_wheel="python3 -m pip wheel -q --no-deps ."

fresh_clone() { rm -rf "$work/clone" && git clone -q . "$work/clone"; }
readme_uncompiled() { (cd "$work/clone" && uncompiled bash -euc "$(readme "$1")"); }
without_headers() {
    local headers
    headers=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    unshare -m sh -c "mount -t tmpfs none '$headers' && $pip_wheel -w '$work/wheels'"
}
fails() { ! "$@"; }
with_a_bug() { (cd "$work/clone" && echo "int fl_broken(void) { return }" >>csrc/float/float_ops.c && $pip_wheel -w "$work/wheels"); }
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

check "a compiler: wheel for the stable ABI" wheel_is "cp311-abi3-linux_$(uname -m)" $pip_wheel
check "... with the package and nothing else" sh -c "python3 -m zipfile -l $work/wheels/*.whl | grep -vE 'fastleaky/|dist-info/|File Name' && exit 1 || true"
check "no compiler: pure wheel" wheel_is py3-none-any uncompiled $pip_wheel
check "no Python.h: pure wheel" wheel_is py3-none-any without_headers
check "no compiler, native=enabled: an error" fails uncompiled $pip_wheel -w "$work/wheels" --config-settings=setup-args=-Dnative=enabled
check "native=disabled: pure wheel" wheel_is py3-none-any $pip_wheel --config-settings=setup-args=-Dnative=disabled
check "Numba is asked for only where it has wheels" pure_elsewhere
fresh_clone
check "README: try, no compiler" readme_uncompiled try
sed -n '/^fastleaky/,$p' "$log"
# Without C the tests of the ways to choose a backend differ; Numba and NumPy compute what they do beside C.
export PYTEST_ADDOPTS="tests/test_choice.py tests/test_cli.py tests/test_errors.py tests/test_quantized.py"
check_all "README: test, no compiler" readme_uncompiled test
unset PYTEST_ADDOPTS
fresh_clone
check "a bug in our C: an error" fails with_a_bug
