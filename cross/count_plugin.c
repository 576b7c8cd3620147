/* count_plugin.c - a QEMU plugin that counts the instructions executed in each function of the guest.
 * SPDX-License-Identifier: MIT
 *
 * For cross/check.py only: it is built there, loaded into QEMU 7.2, and prints `NAME COUNT` for each function whose
 * name begins with f32_ or fl_f32_. Debian does not package QEMU's plugin header, so what is used of it is declared
 * here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
struct instruction;
enum { ADD_INLINE = 0, ROOM = 64 };

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
const char *qemu_plugin_insn_symbol(const struct instruction *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *, int, void *, uint64_t);

static struct {
    char name[64];
    uint64_t executed;
} functions[ROOM];

static uint64_t *counter(const char *name)
{
    for (int i = 0; i < ROOM; i++) {
        if (!functions[i].name[0])
            snprintf(functions[i].name, sizeof functions[i].name, "%s", name);
        if (!strcmp(functions[i].name, name))
            return &functions[i].executed;
    }
    return NULL;
}

static void translated(plugin_id id, struct block *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct instruction *const instruction = qemu_plugin_tb_get_insn(block, i);
        const char *const name = qemu_plugin_insn_symbol(instruction);
        uint64_t *const executed =
            name && (!strncmp(name, "f32_", 4) || !strncmp(name, "fl_f32_", 7)) ? counter(name) : NULL;
        if (executed)
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_INLINE, executed, 1);
    }
}

static void ended(plugin_id id, void *unused)
{
    (void)id, (void)unused;
    for (int i = 0; i < ROOM && functions[i].name[0]; i++)
        fprintf(stderr, "%s %" PRIu64 "\n", functions[i].name, functions[i].executed);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
