# The C library without Python: compilers, symbols, sanitizers, emulators, the standalone installation.
# Sourced by run, whose functions it calls.

sources="csrc/*.c csrc/isa/*.c" # what firmware takes
hosted="$sources csrc/host/host.c -pthread"

check_c() { # NAME COMMAND...: one check, of a run of check.c whose last line must count
    check "$@"
    grep -E '^[1-9][0-9]* passed, 0 failed$' "$work/log" | sed 's/^/        /' || check "$1: it ended as it should" false
}
direct() { # COMPILER FLAGS...: no build system, as firmware takes it
    rm -rf "$work/o" && mkdir "$work/o"
    (cd "$work/o" && "$@" -Wall -Wextra -Werror -c -I"$OLDPWD/csrc" $(printf "$OLDPWD/%s " $sources))
}
prefixed() { ! nm -g --defined-only "$work"/o/*.o | awk 'NF == 3 {print $3}' | grep -v '^fl_'; }
freestanding() { ! nm -u "$work"/o/*.o | awk '/ U / {print $2}' | grep -v '^fl_'; }
checked() { "$@" -Icsrc tests/check.c $sources -o "$work/check" && "$work/check"; }
with_threads() { # PROGRAM COMPILER FLAGS...
    local program=$1
    shift
    "$@" -Wall -Wextra -Werror -DHOST -Icsrc "tests/$program.c" $hosted -o "$work/$program" && "$work/$program"
}
emulated() { # CPU BEST: which instruction set is chosen on which processor
    qemu-x86_64 -cpu "$1" "$work/check" 2>/dev/null | tee "$work/emulated" && grep -qx "best: $2" "$work/emulated"
}
avx512_by_simde() {
    gcc -O2 -ffp-contract=off -w -D'target(x)=unused' -Itests/simde -Icsrc -c csrc/isa/avx512.c -o "$work/avx512.o"
    gcc -O2 -Icsrc tests/simde/only.c csrc/ops.c "$work/avx512.o" tests/check.c -o "$work/check512" && "$work/check512"
}
standalone() { # static library, header and pkg-config, used from C
    "$tools/meson" setup "$work/build" -Dpython=disabled -Ddefault_library=static --prefix="$work/prefix" --libdir=lib
    "$tools/meson" install -C "$work/build"
    export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
    gcc -O2 tests/check.c $(pkg-config --cflags --libs fastleaky) -o "$work/installed" && "$work/installed"
}
meson_test() { "$tools/meson" test -C "$work/build" --print-errorlogs -v; }

for cc in gcc clang-19; do
    for flags in -O2 -O3 -Os; do
        check "$cc $flags -Wall -Wextra -Werror" direct $cc $flags
        check "$cc $flags: exports begin with fl_" prefixed
        check "$cc $flags: nothing of libc is called" freestanding
    done
    check_c "check.c, $cc -O2" checked $cc -O2
    check_c "check.c, $cc -O3 -mfma -ffp-contract=fast" checked $cc -O3 -mfma -ffp-contract=fast
done
check_c "check.c, clang-19 with sanitizers" checked clang-19 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
check_c "check.c, valgrind" sh -c "gcc -O2 -g -Icsrc tests/check.c $sources -o $work/check && valgrind -q --error-exitcode=9 --partial-loads-ok=no $work/check"
check_c "check.c with threads" with_threads check gcc -O2
check_c "stress.c" with_threads stress gcc -O2
for program in check stress; do
    check_c "$program.c with ThreadSanitizer" with_threads $program clang-19 -O1 -g -fsanitize=thread -DNO_FORK
done
check_c "check.c, 32-bit x86" checked gcc -m32 -O2 -msse2 -mfpmath=sse
check_c "check.c, AVX-512 by SIMDe" avx512_by_simde
gcc -O2 -static -Icsrc tests/check.c $sources -o "$work/check"
check_c "check.c on an emulated Nehalem (no AVX)" emulated Nehalem sse2
check_c "check.c on an emulated SandyBridge (AVX, not AVX2)" emulated SandyBridge sse2
check_c "check.c on an emulated Haswell (AVX2)" emulated Haswell avx2

python3 -m venv "$work/tools"
tools=$work/tools/bin
check "meson" "$tools/pip" install -q meson ninja
PATH=$tools:$PATH check_c "installed by meson, used through pkg-config" standalone
PATH=$tools:$PATH check_c "meson test" meson_test
