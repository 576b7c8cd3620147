#!/bin/sh
# Run a firmware image on an emulated board: what it prints, and its exit status.
# qemu-board.sh PROCESSOR OPTION... -kernel IMAGE
# QEMU_PLUGIN is a plugin to load; QEMU's user emulators read that variable by themselves.
processor=$1
shift
for image; do :; done # the last argument
exec timeout 300 "qemu-system-$processor" -bios none -nographic -monitor none -serial none -chardev stdio,id=c0 \
    -semihosting-config enable=on,target=native,chardev=c0,arg="$image" ${QEMU_PLUGIN:+-plugin "$QEMU_PLUGIN"} "$@"
