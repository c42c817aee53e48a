/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/inputs_of.h"

#include <stdlib.h>
#include <string.h>

/*
 * The one place where what a record tells becomes what a prediction is given. Each case names an
 * oracle; what is not named here no prediction can see.
 */

uint64_t twin_register(const struct machine_description *machine, uint64_t recorded)
{
    for (size_t i = 0; i < machine->nregisters; i++) {
        if (machine->registers[i].recorded == recorded)
            return machine->registers[i].number;
    }
    return recorded;
}

static void answer(struct answers *answers, enum oracle oracle, uint64_t key, uint64_t value)
{
    if (answers->count == answers->size) {
        answers->size = answers->size > 0 ? 2 * answers->size : 16;
        answers->list = realloc(answers->list, answers->size * sizeof *answers->list);
        if (!answers->list)
            no_memory();
    }
    answers->list[answers->count++] = (struct answer){oracle, key, value};
}

static void answer_from_host(struct answers *answers, const struct trace_int_read *read)
{
    static const char *const names[] = {
#define ORACLE_NAME(oracle, what) [ORACLE_##oracle] = what,
        ORACLE_MAP(ORACLE_NAME)
#undef ORACLE_NAME
    };
    for (unsigned i = 0; i < ORACLES; i++) {
        if (names[i] && strcmp(names[i], read->what) == 0)
            answer(answers, (enum oracle)i, read->idx, read->val);
    }
}

/* Where the host keeps its structures is the host's affair. */
static void answer_pointer(struct answers *answers, const struct trace_vm_set *set)
{
    if (strcmp(set->field, "kvm") == 0)
        answer(answers, ORACLE_KVM_POINTER, set->vmid, set->new);
    if (strcmp(set->field, "vcpu") == 0)
        answer(answers, ORACLE_VCPU_POINTER, set->sub, set->new);
}

static void answer_all(const struct machine_description *machine, struct answers *answers,
                       const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        switch (effect->kind) {
        case TRACE_mmio:
            if (!effect->mmio.write)
                answer(answers, ORACLE_DEVICE, effect->mmio.addr, effect->mmio.val);
            break;
        case TRACE_int_read: answer_from_host(answers, &effect->int_read); break;
        case TRACE_vm_set: answer_pointer(answers, &effect->vm_set); break;
        case TRACE_verify:
            answer(answers, ORACLE_SIGNATURE, effect->verify.load_idx, effect->verify.ed25519);
            break;
        case TRACE_lock: answer(answers, ORACLE_TURN, 0, effect->g); break;
        case TRACE_shadow_set:
            answer(answers, ORACLE_DECRYPTED, twin_register(machine, effect->shadow_set.idx),
                   effect->shadow_set.new);
            break;
        default: break;
        }
    }
}

struct trap_inputs inputs_of(const struct machine_description *machine,
                             const struct trace_line *line, struct answers *answers)
{
    answers->count = 0;
    answer_all(machine, answers, line);
    return (struct trap_inputs){.cpu = line->cpu,
                                .kind = line->kind,
                                .exit_code = line->exit_code,
                                .in = line->in,
                                .answers = answers->list,
                                .nanswers = answers->count};
}
