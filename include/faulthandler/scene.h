/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_SCENE_H
#define FAULTHANDLER_SCENE_H

#include <faulthandler/arm_walk.h>
#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Machines built by calls: memory, SMMUs, VMs, what is mapped for whom. Each call takes a
 * description whose members may be left 0, checks it, and does all of it or nothing: then it
 * returns FH_INVALID_ARGUMENT with the condition in fh_state_error, and the state is as before.
 * What KCore itself would have built, its tables, is built by its own functions. An fh_undo takes
 * one call back, and a transaction around several takes back all.
 *
 *     fh_scene_add_region(state, &(struct fh_scene_region){.base = 0x200000, .size = 0x800000});
 *     fh_scene_add_vm(state, &(struct fh_scene_vm){.vmid = 1, .vcpus = 2});
 *     fh_scene_give(state, &(struct fh_scene_pages){.vmid = 1, .gfn = 0x10, .pfn = 0x300});
 *
 * Addresses and sizes are in bytes, pfn and gfn are page frame numbers.
 */

/*
 * A region of memory whose pages belong to one owner and are mapped by nobody. base and size are
 * multiples of a page. The s2_gfn of the host's pages is pfn + SMMU_HOST_OFFSET, as KCore has it of
 * a page that it takes back, that of others all ones; `has_gfn` puts `gfn` instead (the shipped
 * kernel begins with 0).
 */
struct fh_scene_region {
    uint64_t base, size;
    uint64_t owner; /* vmid; 0: the host */
    bool has_gfn;
    uint64_t gfn;
};
FH_API enum fh_status fh_scene_add_region(struct fh_state *state,
                                          const struct fh_scene_region *region);

/* The next SMMU, from number 0 on. */
struct fh_scene_smmu {
    uint64_t base;    /* physical address of its registers, a multiple of a page */
    uint64_t size;    /* 0: 64 KiB */
    uint64_t pgshift; /* 12..16; 0: 12 */
    uint64_t banks;   /* context banks; 0: SMMU_NUM_CTXT_BANKS */
};
FH_API enum fh_status fh_scene_add_smmu(struct fh_state *state, const struct fh_scene_smmu *smmu);

/* A context bank gets an owner, a vmid. */
FH_API enum fh_status fh_scene_set_bank(struct fh_state *state, uint64_t smmu, uint64_t bank,
                                        uint64_t owner);

/* What a VM has gone through. */
enum fh_scene_vm_life {
    FH_SCENE_VERIFIED, /* its images are checked: it may run */
    FH_SCENE_UNUSED,
    FH_SCENE_REGISTERED, /* READY: images and vCPUs may be added */
    FH_SCENE_POWERED_OFF /* POWEROFF of the profile `spec` */
};

/* A VM whose vCPUs 0 .. vcpus-1 are READY, and UNUSED in a VM that is. */
struct fh_scene_vm {
    uint64_t vmid; /* 1 to COREVISOR - 1 */
    enum fh_scene_vm_life life;
    uint64_t vcpus; /* at most VCPU_PER_VM */
};
FH_API enum fh_status fh_scene_add_vm(struct fh_state *state, const struct fh_scene_vm *vm);

/* An image of a VM, as SET_BOOT_INFO and REMAP_VM_IMAGE leave it. */
struct fh_scene_image {
    uint64_t vmid;
    uint64_t load_addr, size; /* where the VM has it, bytes */
    uint64_t pfn;             /* where the host has put it: pages in a row */
};
FH_API enum fh_status fh_scene_add_image(struct fh_state *state,
                                         const struct fh_scene_image *image);

/*
 * Pages of the host become a VM's, in a row or as one block of 2 MiB (gfn and pfn are then
 * multiples of 512). They are mapped in the VM's table unless `is_unmapped`.
 */
struct fh_scene_pages {
    uint64_t vmid;
    uint64_t gfn, pfn;
    uint64_t count; /* 0: 1 */
    bool is_block;
    bool is_unmapped;
    uint64_t shared; /* how often the VM shares each with the host: s2_count */
};
FH_API enum fh_status fh_scene_give(struct fh_state *state, const struct fh_scene_pages *pages);

/* The host has touched these pages: KCore has mapped them, which it must be willing to. */
FH_API enum fh_status fh_scene_map_host(struct fh_state *state, uint64_t pfn, uint64_t count);

/*
 * A vCPU's saved registers, to write until the next call; NULL when memory runs out, or if the
 * profile has no such vCPU. VM HOSTVISOR: the host's registers, by context.
 */
FH_API struct fh_ctxt *fh_scene_vcpu(struct fh_state *state, uint64_t vmid, uint64_t vcpuid);

/* The whole of a machine as one description, built in the order of its members. */
struct fh_scene {
    const struct fh_scene_region *regions;
    size_t nregions;
    const struct fh_scene_smmu *smmus;
    size_t nsmmus;
    const struct fh_scene_vm *vms;
    size_t nvms;
    const struct fh_scene_pages *pages;
    size_t npages;
};
FH_API enum fh_status fh_scene_build(struct fh_state *state, const struct fh_scene *scene);

/*
 * What building has written into the logs is forgotten: they begin empty. A scene that was built by
 * calls of one's own begins so too.
 */
FH_API enum fh_status fh_scene_forget_logs(struct fh_state *state);

/* --- Registers of traps ----------------------------------------------------------------------- */

/*
 * What a trap finds in the hardware's registers, for struct fh_trap. All others are 0.
 *
 *     struct fh_ctxt_regs regs;
 *     fh_scene_fault(state, &(struct fh_scene_access){.ipa = 0x345678}, &regs);
 *     fh_trap_take(state, &(struct fh_trap){.kind = FH_TRAP_HOST_FAULT, .regs = &regs}, &outcome);
 */

/* An access to memory that stage 2 does not map: ESR_EL2, FAR_EL2 and HPFAR_EL2 of its abort. */
struct fh_scene_access {
    uint64_t ipa;
    enum fh_arm_access_kind kind;
    unsigned bytes;      /* 1, 2, 4 or 8; 0: 8 */
    unsigned rt;         /* 0..31: the register that is read or written */
    bool is_undescribed; /* a pair, or with write-back: the syndrome names no register */
    bool is_permission;  /* stage 2 maps it, but not for this */
};

/*
 * A fault of the host, or of a VM (then `ec` says that it left by a trap). FH_INVALID_ARGUMENT: the
 * access cannot be, or HPFAR_EL2 under the profile's HPFAR_MASK does not have the host's address.
 */
FH_API enum fh_status fh_scene_fault(struct fh_state *state, const struct fh_scene_access *access,
                                     struct fh_ctxt_regs *regs);
FH_API enum fh_status fh_scene_vm_fault(struct fh_state *state,
                                        const struct fh_scene_access *access,
                                        struct fh_ctxt_regs *regs);

/* An argument by the name that the function has for it, as in functions.h: {"vmid", 1}. */
struct fh_scene_argument {
    const char *name;
    uint64_t value;
};

/*
 * A hypercall of the state's machine by its name, "REGISTER_VCPU": its number and its arguments in
 * the registers where the machine's ABI has them. Arguments that are not given are 0. FH_UNKNOWN:
 * the machine has no call of this name. FH_INVALID_ARGUMENT: the call takes no argument of a name
 * from a register, or not of this width.
 */
FH_API enum fh_status fh_scene_hypercall(struct fh_state *state, const char *name,
                                         const struct fh_scene_argument *arguments,
                                         size_t narguments, struct fh_ctxt_regs *regs);

/* How a vCPU leaves, but by an abort: of these classes, or by an interrupt. */
enum fh_scene_exit {
    FH_SCENE_INTERRUPT,
    FH_SCENE_WFX,
    FH_SCENE_HVC64,
    FH_SCENE_HVC32,
    FH_SCENE_SYS64
};
FH_API void fh_scene_vm_exit(const struct fh_state *state, enum fh_scene_exit exit,
                             struct fh_ctxt_regs *regs);

#ifdef __cplusplus
}
#endif

#endif
