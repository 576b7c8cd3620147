#!/bin/sh
# Run a firmware image on an emulated Arm board, with what it prints and its exit status: qemu-board.sh BOARD IMAGE
# (QEMU's user emulators read QEMU_PLUGIN by themselves.)
exec timeout 300 qemu-system-arm -M "$1" ${QEMU_PLUGIN:+-plugin "$QEMU_PLUGIN"} -nographic -monitor none -serial none -chardev stdio,id=c0 \
    -semihosting-config enable=on,target=native,chardev=c0,arg="$2" -kernel "$2"
