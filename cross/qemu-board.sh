#!/bin/sh
# Run a firmware image on an emulated board, with what it prints and its exit status:
# qemu-board.sh PROCESSOR BOARD IMAGE (QEMU's user emulators read QEMU_PLUGIN by themselves.)
exec timeout 300 "qemu-system-$1" -M "$2" ${QEMU_PLUGIN:+-plugin "$QEMU_PLUGIN"} -bios none -nographic -monitor none -serial none -chardev stdio,id=c0 \
    -semihosting-config enable=on,target=native,chardev=c0,arg="$3" -kernel "$3"
