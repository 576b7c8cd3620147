# A Cortex-M4 with its FPU, on a board that QEMU emulates: Debian's gcc-arm-none-eabi, picolibc-arm-none-eabi and
# qemu-system-arm. printf and the exit status go out through semihosting. A project for a real board brings a linker
# script and startup code of its own instead of the last lines.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard --specs=picolibc.specs")
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT "--oslib=semihost --crt0=semihost -Wl,--gc-sections"
  ",--defsym=__flash=0,--defsym=__flash_size=0x400000"
  ",--defsym=__ram=0x20000000,--defsym=__ram_size=0x400000,--defsym=__stack_size=0x8000")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none
  -chardev stdio,id=out -semihosting-config enable=on,target=native,chardev=out -kernel)
