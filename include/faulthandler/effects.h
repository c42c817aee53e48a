/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_EFFECTS_H
#define FAULTHANDLER_EFFECTS_H

#include <stdint.h>

#include <faulthandler/status.h>

/*
 * What a call does, as it does it: X(NAME, number of values, their names). An observer sees the
 * effects in order, of calls that later end stuck too. The names are those of a trace's records,
 * where it has one.
 */
#define FH_EFFECT_MAP(X)                                                                            \
    X(LOCK, 1, "lock")               /* a lock of the state is taken: its id */                      \
    X(UNLOCK, 1, "lock")             /* and given back */                                           \
    X(PANIC, 0, "")                  /* the machine halts */                                        \
    X(S2_READ, 3, "pfn,field,value") /* ownership read; field 0 owner, 1 count, 2 gfn */            \
    X(S2_SET, 4, "pfn,field,old,new")                                                               \
    X(NPT_READ, 4, "vmid,addr,level,pte")                                                           \
    X(NPT_SET, 4, "vmid,addr,level,pte")                                                            \
    X(SPT_READ, 4, "cbndx,index,iova,pte")                                                          \
    X(SPT_SET, 4, "cbndx,index,iova,pte")                                                           \
    X(SPT_CLEAR, 2, "cbndx,index")                                                                  \
    X(SMMU_CFG_SET, 3, "cbndx,index,vmid")                                                          \
    X(MMIO_READ, 2, "addr,value")                                                                   \
    X(MMIO_WRITE, 3, "addr,value,len")                                                              \
    X(SKIP_INSTR, 1, "elr_el2")                                                                     \
    X(EMULATE_MMIO, 3, "addr,hsr,result")                                                           \
    X(SHADOW_SET, 4, "vmid,vcpuid,register,value")                                                  \
    X(DATA_READ, 3, "vmid,index,value") /* a value of a data oracle */                              \
    X(SCRUB, 1, "pfn")

enum fh_effect_kind {
#define FH_EFFECT_ENUM(name, nvalues, names) FH_EFFECT_##name,
    FH_EFFECT_MAP(FH_EFFECT_ENUM)
#undef FH_EFFECT_ENUM
        FH_EFFECT_KINDS
};

struct fh_effect {
    enum fh_effect_kind kind;
    uint64_t values[4];
};

FH_API const char *fh_effect_name(enum fh_effect_kind kind);
FH_API unsigned fh_effect_nvalues(enum fh_effect_kind kind);
FH_API const char *fh_effect_value_names(enum fh_effect_kind kind);

#endif
