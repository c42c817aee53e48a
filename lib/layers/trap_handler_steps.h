/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_TRAP_HANDLER_STEPS_H
#define FH_LAYERS_TRAP_HANDLER_STEPS_H

#include "layers/kcore.h"

/*
 * The steps of TrapHandler, each one atomic: what the layers below do under locks is one event in
 * slog here. A lock only shows where KCore panics and never gives it back: hlock is false then.
 *
 * Steps check nothing. Each sets *halts, to false too, so that the caller says where a halt goes;
 * after a halt the step has changed no more than hlock, unless said otherwise.
 */

/*
 * Let the other CPUs act (the oracle of slog). Of their events only the newest has an effect, and
 * only if it maps a host page. TrapHandler/Spec.v: query_oracle, CalStateH
 */
enum fh_status query_oracle(struct fh_state *s);

/*
 * The same in two parts: what the others do is only noted, as a page that they map for the host,
 * and takes effect later or never.
 */
struct others_effect {
    bool maps_host;
    uint64_t addr;
};
enum fh_status note_oracle(struct fh_state *s, struct others_effect *effect);
enum fh_status apply_oracle(struct fh_state *s, const struct others_effect *effect);

/* KCore panics and keeps no lock, and the function ends, unless this holds. */
#define HALT_HERE_UNLESS(s, condition, ...)                                                        \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            FH_NOTE_PANIC(s, #condition, __VA_ARGS__);                                             \
            (s)->adt->halt = true;                                                                 \
            return FH_OK;                                                                          \
        }                                                                                          \
    } while (0)

/* Put an event of this CPU in front of slog. */
enum fh_status log_step_of(struct fh_state *s, enum fh_event_kind kind, const uint64_t *args);

#define LOG_STEP(s, kind, ...) log_step_of(s, kind, (const uint64_t[]){__VA_ARGS__})

/* The same with the shadow context `ctxtid` as it is now. */
enum fh_status log_step_with_ctxt(struct fh_state *s, enum fh_event_kind kind, const uint64_t *args,
                                  wide ctxtid);

/* No one keeps the lock `id` for ever. */
static inline bool is_usable(const struct fh_state *s, wide id)
{
    const struct fh_map *hlock = &s->adt->shared.hlock;
    const struct fh_map_type *type = &type_of_bool_or_true->as_value;
    return *(const bool *)(is_int64(id) ? fh_map_get(hlock, type, (uint64_t)id)
                                        : fh_map_fallback(hlock, type));
}

#define RELY_USABLE(s, id) FH_RELY(s, is_usable(s, id), (uint64_t)(id))

enum fh_status set_usable(struct fh_state *s, wide id, bool usable);

/* Pages. Addresses are byte addresses. */
enum fh_status local_map_host(struct fh_state *s, uint64_t addr, bool *halts);
enum fh_status local_clear_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn, bool *halts);
enum fh_status local_assign_pfn_to_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn, uint64_t pfn,
                                      bool *halts);
enum fh_status local_map_pfn_vm(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                                uint64_t level, bool *halts);
enum fh_status local_map_io(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa,
                            bool *halts);
enum fh_status local_grant_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn);
enum fh_status local_revoke_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn, bool *halts);

/* VMs. A halt changes nothing, but as noted. */
enum fh_status local_set_vcpu_active(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                     bool *halts);
enum fh_status local_set_vcpu_inactive(struct fh_state *s, uint64_t vmid, int64_t vcpuid,
                                       bool *halts);
enum fh_status local_set_vm_poweroff(struct fh_state *s, uint64_t vmid);
enum fh_status local_register_vcpu(struct fh_state *s, uint64_t vmid, uint64_t vcpuid, bool *halts);
enum fh_status local_gen_vmid(struct fh_state *s, bool *halts);
enum fh_status local_register_kvm(struct fh_state *s, uint64_t vmid, bool *halts);
enum fh_status local_set_boot_info(struct fh_state *s, uint64_t vmid, uint64_t load_addr,
                                   uint64_t size, bool *halts);
enum fh_status local_remap_vm_image(struct fh_state *s, uint64_t vmid, uint64_t pfn,
                                    uint64_t load_idx, bool *halts);
enum fh_status set_vm_state_of(struct fh_state *s, uint64_t vmid, uint64_t state);

/* Devices. */
enum fh_status local_free_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t index, bool *halts);
enum fh_status local_alloc_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint64_t vmid,
                                    uint32_t index, uint64_t banks, bool *halts);
enum fh_status local_smmu_assign_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint64_t pfn, uint64_t gfn, bool *halts);
enum fh_status local_smmu_map_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                   uint64_t iova, uint64_t pte, bool *halts);
enum fh_status local_smmu_clear(struct fh_state *s, uint64_t iova, uint32_t cbndx, uint32_t index,
                                bool *halts);

/* What is encrypted goes through the host's data oracle; `ctxtid` is the caller's context. */
enum fh_status local_load_encryted_vcpu(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                        wide ctxtid, bool *halts);
enum fh_status local_save_encrypt_buf(struct fh_state *s, uint64_t vmid, uint64_t inbuf,
                                      uint64_t outbuf, bool *halts);
enum fh_status local_load_decrypt_buf(struct fh_state *s, uint64_t vmid, uint64_t inbuf,
                                      bool *halts);

#endif
