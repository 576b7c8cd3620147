# The C library without Python: compilers, symbols, sanitizers, emulators, the standalone installation.
# Sourced by run, whose functions it calls.

sources=$(find csrc -name "*.c")

# Every set of flags with which the library is compiled: NAME COMPILER FLAGS...
flags() { # the longest first
    echo "sanitizers clang-19 -O1 -gline-tables-only -fsanitize=address,undefined -fno-sanitize-recover=all"
    for cc in gcc clang-19; do
        echo "$cc-O2 $cc -O2"
        echo "$cc-O3 $cc -O3 -mfma -ffp-contract=fast" # our sources forbid it
        echo "$cc-Os $cc -Os"
    done
    echo "m32 gcc -m32 -O2 -msse2 -mfpmath=sse"
    echo "tsan clang-19 -O1 -gline-tables-only -fsanitize=thread"
}
compiler() { flags | sed -n "s/^$1 //p"; } # ... with its flags

library() { # SET: no build system, as firmware takes it
    mkdir "$work/$1"
    for source in $sources; do
        $(compiler "$1") -Wall -Wextra -Werror -Icsrc -c "$source" -o "$work/$1/$(basename "$source" .c).o"
    done
    mkdir "$work/$1/threads"
    mv "$work/$1/threads.o" "$work/$1/threads/" # firmware has none
}
prefixed() { ! nm -g --defined-only "$work/$1"/*.o | awk 'NF == 3 {print $3}' | grep -v '^fl_'; }
freestanding() { ! nm -u "$work/$1"/*.o | awk '/ U / {print $2}' | grep -v '^fl_'; }
build() { # SET PROGRAM FLAGS...
    local set=$1 program=$2
    shift 2
    $(compiler "$set") -Wall -Wextra -Werror "$@" -Icsrc "tests/c/$program.c" "$work/$set"/*.o -o "$log.program"
}
checked() { build "$1" "$2" && "$log.program"; }
with_threads() { build "$@" -DTHREADS "$work/$1/threads/threads.o" -pthread && "$log.program"; }
valgrind_sees() { build gcc-O2 "$1" -g && valgrind -q --error-exitcode=9 --partial-loads-ok=no "$log.program"; }
emulated() { # CPU BEST: which instruction set is chosen on which processor
    build gcc-O2 check -static && qemu-x86_64 -cpu "$1" "$log.program" 2>/dev/null | tee "$log.out" && grep -qx "best: $2" "$log.out"
}
avx512_by_simde() { # where AVX2 is native
    gcc -O2 -ffp-contract=off -w -D'target(x)=unused' -mavx2 -mf16c -Itests/c/simde -Icsrc -c csrc/isa/avx512.c -o "$log.o" &&
        gcc -O2 -Icsrc tests/c/simde/only.c csrc/float/float_ops.c csrc/isa/{avx2,sse2,scalar}.c "$log.o" tests/c/check.c -o "$log.program" &&
        "$log.program"
}
standalone() { # static library, header and pkg-config, used from C
    export PATH=$work/tools/bin:$PATH PKG_CONFIG_SYSROOT_DIR=$work/root PKG_CONFIG_LIBDIR
    rm -rf build/c &&
        DESTDIR=$work/root bash -euc "$(readme install)" &&
        PKG_CONFIG_LIBDIR=$(dirname "$(find "$work/root" -name fastleaky.pc)") &&
        gcc -O2 tests/c/check.c $(pkg-config --cflags --libs fastleaky) -o "$log.program" && "$log.program"
}
programs() { # the pages' programs in C, with the library as README.md's command compiles it
    local program command
    command=$(readme build)
    python3 tests/pages.py "$work/pages" && cp -r csrc "$work/pages" && cd "$work/pages" && bash -euc "$command" || return 1
    for program in *.c; do
        gcc -Wall -Wextra -Werror -Icsrc "$program" *.o -pthread -o program && ./program | diff - "${program%.c}.expected" || return 1
    done
}
on_windows() { # PROGRAM: with Zig's compiler, under Wine
    .venv/bin/python -m ziglang cc -target x86_64-windows-gnu -O2 -Wall -Wextra -Werror -Icsrc -DTHREADS \
        "tests/c/$1.c" $sources -o "$log.exe" && WINEPREFIX=$log.wine WINEDEBUG=-all wine "$log.exe" | tr -d "\r"
}
proved() { PATH=$work/tools/bin:$PATH bash -euc "$(readme proofs)"; }
# counted COMMAND...: a run of check.c, whose last line must count. In a pipe that && follows, -e does not hold: what
# is called here joins its commands by && itself.
counted() { "$@" | tee "$log.last" && tail -n 1 "$log.last" | grep -E '^[1-9][0-9]* passed, 0 failed$'; }

c_library() {
    echo "== The C library, by itself"
    flags | while read -r set command; do echo "$command -Wall -Wextra -Werror | library $set"; done | at_once
    {
        for program in check check_quantized; do
            echo "$program.c, clang-19 with sanitizers | counted checked sanitizers $program"
            echo "$program.c, valgrind | counted valgrind_sees $program"
            echo "$program.c with ThreadSanitizer | counted with_threads tsan $program"
            echo "$program.c with threads | counted with_threads gcc-O2 $program"
            for set in gcc-O2 gcc-O3 gcc-Os clang-19-O2 clang-19-O3 m32; do
                echo "$program.c, $(compiler $set) | counted checked $set $program"
            done
        done
        # Where the processor has AVX-512, all of the above has run on it.
        grep -qw avx512f /proc/cpuinfo || echo "check.c, AVX-512 by SIMDe | counted avx512_by_simde"
        echo "stress.c with ThreadSanitizer | counted with_threads tsan stress -DNO_FORK"
        echo "stress.c | counted with_threads gcc-O2 stress"
        echo "check.c on an emulated Nehalem (no AVX) | counted emulated Nehalem sse2"
        echo "check.c on an emulated SandyBridge (AVX, not AVX2) | counted emulated SandyBridge sse2"
        echo "check.c on an emulated Haswell (AVX2) | counted emulated Haswell avx2"
        echo "installed by meson, used through pkg-config, tested by meson | counted standalone"
        echo "the pages' programs in C | programs"
        echo "libFuzzer on every function, a minute each | $work/tools/bin/python tests/fuzz_c.py"
        echo "the proofs, and faults that they see | counted proved"
        for set in {gcc,clang-19}-{O2,O3,Os}; do
            echo "$set: exports begin with fl_ | prefixed $set"
            echo "$set: nothing of libc is called | freestanding $set"
        done
    } | at_once
}
