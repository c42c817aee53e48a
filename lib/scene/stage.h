/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_SCENE_STAGE_H
#define FH_SCENE_STAGE_H

#include <faulthandler/access.h>

#include "layers/physical.h"

/* Parts of an access (access.c). */

/* Whose translation it is, and how: translate.c. */
struct translation {
    struct fh_arm_stage2_control control;
    struct fh_arm_memory tables;
    struct tlb_tag tag;
    bool has_tlb;
    bool is_cached, is_stale; /* what came of the last one */
};

void translation_of(const struct fh_state *s, const struct fh_access_request *access,
                    struct translation *translation);

/* Translate one address: by what the TLB has kept, or by the tables, and then it is kept. */
enum fh_status translate(struct fh_state *s, struct translation *translation,
                         const struct fh_arm_ipa_access *ipa, struct fh_arm_walk *walk);

/* --- Who runs, and traps: principal.c --------------------------------------------------------- */

/* What the host knows and says while traps of one access are handled. */
struct stand_in {
    struct fh_state *state;
    struct fh_environment environment; /* the state's own */
    struct fh_host_answer answer;      /* FH_HOST_DECIDES: there is no fault to answer */
    uint64_t ipa, esr;                 /* the fault that the vCPU left by */
    uint64_t vcpuid;
    bool has_taken_register; /* of what the host emulates */
    bool has_start;
    uint64_t pc, pstate;
};

void begin_stand_in(struct stand_in *host, struct fh_state *s);
void end_stand_in(struct stand_in *host);

/* Who is to access runs on the CPU. The outcome is that of the last trap, if there was one. */
enum fh_status bring_to_cpu(struct stand_in *host, const struct fh_principal *by,
                            struct fh_trap_outcome *outcome);

/* The fault of who runs. */
enum fh_status take_fault(struct stand_in *host, enum fh_principal_kind by,
                          const struct fh_arm_abort *abort, struct fh_trap_outcome *outcome);

/* The host runs a vCPU, with its answer to the fault that this left by. */
enum fh_status run_vcpu(struct stand_in *host, uint64_t vmid, uint64_t vcpuid,
                        struct fh_trap_outcome *outcome);

/* FH_HOST_DECIDES, decided. */
struct fh_host_answer decide(const struct fh_state *s, uint64_t ipa);

#endif
