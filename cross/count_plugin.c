/* count_plugin.c - a QEMU plugin that counts the instructions of each call that the guest's main makes.
 * SPDX-License-Identifier: MIT
 *
 * For cross/instructions.py only: it is built there, loaded into QEMU 7.2, and prints `FUNCTION COUNT` for each call
 * of a function whose name begins with fl_ or plain_, with all that the function calls, the compiler's soft floats
 * too. Debian does not package QEMU's plugin header, so what is used of it is declared here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct translation;
struct instruction;

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct translation *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct translation *, void (*)(unsigned, void *), int flags, void *);
size_t qemu_plugin_tb_n_insns(const struct translation *);
struct instruction *qemu_plugin_tb_get_insn(const struct translation *, size_t);
const char *qemu_plugin_insn_symbol(const struct instruction *);

typedef struct {
    size_t instructions;
    char symbol[64]; /* the function that it belongs to */
} block;

static const char *called = ""; /* by main, since it was last executed */
static uint64_t count;

static void execute(unsigned cpu, void *data)
{
    (void)cpu;
    const block *const b = data;
    if (!strcmp(b->symbol, "main")) {
        if (!strncmp(called, "fl_", 3) || !strncmp(called, "plain_", 6))
            fprintf(stderr, "%s %" PRIu64 "\n", called, count);
        called = "";
        count = 0;
        return;
    }
    if (!*called)
        called = b->symbol;
    count += b->instructions;
}

static void translate(plugin_id id, struct translation *translation)
{
    (void)id;
    block *const b = malloc(sizeof *b); /* QEMU keeps its translations to the end, too */
    const char *const symbol = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(translation, 0));
    b->instructions = qemu_plugin_tb_n_insns(translation);
    snprintf(b->symbol, sizeof b->symbol, "%s", symbol ? symbol : "?");
    qemu_plugin_register_vcpu_tb_exec_cb(translation, execute, 0, b);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
