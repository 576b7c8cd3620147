/* stack.c - what a bare-metal program takes of the stack, printed at its end: for cross/program.py.
 * SPDX-License-Identifier: MIT
 *
 * Linked with -Wl,--wrap=main, it fills picolibc's stack with a pattern, and looks afterwards how far that is gone. */
#include <stdint.h>
#include <stdio.h>

extern char __stack[], __stack_size[]; /* where it begins, downwards; its bytes, as an address */
int __real_main(void);
int __wrap_main(void);

int __wrap_main(void)
{
    const uint32_t pattern = 0xfa57fa57;
    volatile uint32_t *const end = (volatile uint32_t *)((uintptr_t)__stack - (uintptr_t)__stack_size), *p = end;
    const uintptr_t here = (uintptr_t)&p - 64; /* below this function's own registers */
    for (; (uintptr_t)p < here; p++)
        *p = pattern;
    const int status = __real_main();
    for (p = end; *p == pattern; p++)
        ;
    if (p == end)
        printf("stack: more than its %lu bytes\n", (unsigned long)(uintptr_t)__stack_size);
    else
        printf("stack: %lu bytes\n", (unsigned long)((uintptr_t)__stack - (uintptr_t)p));
    return status;
}
