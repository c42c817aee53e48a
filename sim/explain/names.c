/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/names.h"

#include <ctype.h>
#include <string.h>

#include "base/diag.h"

/* --- What people call things ----------------------------------------------------------------- */

/* X(name in lower case, meaning, the architecture's name) */
#define NAME_MAP(X)                                                                                \
    X("esr", SYNDROME, "ESR_ELx")                                                                  \
    X("esr_el2", SYNDROME, "ESR_EL2")                                                              \
    X("esr_el1", SYNDROME, "ESR_EL1")                                                              \
    X("esr_el12", SYNDROME, "ESR_EL1")                                                             \
    X("esr_el3", SYNDROME, "ESR_EL3")                                                              \
    X("esr_elx", SYNDROME, "ESR_ELx")                                                              \
    X("esr_eln", SYNDROME, "ESR_ELx")                                                              \
    X("hsr", SYNDROME, "ESR_EL2")                                                                  \
    X("hsr_el2", SYNDROME, "ESR_EL2")                                                              \
    X("syndrome", SYNDROME, "ESR_ELx")                                                             \
    X("exception syndrome", SYNDROME, "ESR_ELx")                                                   \
    X("oops", SYNDROME, "ESR_ELx")                                                                 \
    X("error code", SYNDROME, "ESR_ELx")                                                           \
    X("iss", ISS, "ISS")                                                                           \
    X("esr_iss", ISS, "ISS")                                                                       \
    X("ec", CLASS, "EC")                                                                           \
    X("hsr_ec", CLASS, "EC")                                                                       \
    X("esr_ec", CLASS, "EC")                                                                       \
    X("exception class", CLASS, "EC")                                                              \
    X("xfsc", STATUS, "xFSC")                                                                      \
    X("fsc", STATUS, "FSC")                                                                        \
    X("dfsc", STATUS, "DFSC")                                                                      \
    X("ifsc", STATUS, "IFSC")                                                                      \
    X("fault status", STATUS, "FSC")                                                               \
    X("fault status code", STATUS, "FSC")                                                          \
    X("far", VIRTUAL, "FAR_ELx")                                                                   \
    X("far_el2", VIRTUAL, "FAR_EL2")                                                               \
    X("far_el1", VIRTUAL, "FAR_EL1")                                                               \
    X("far_el12", VIRTUAL, "FAR_EL1")                                                              \
    X("far_el3", VIRTUAL, "FAR_EL3")                                                               \
    X("far_eln", VIRTUAL, "FAR_ELx")                                                               \
    X("far_elx", VIRTUAL, "FAR_ELx")                                                               \
    X("hxfar", VIRTUAL, "FAR_EL2")                                                                 \
    X("hdfar", VIRTUAL, "FAR_EL2")                                                                 \
    X("hifar", VIRTUAL, "FAR_EL2")                                                                 \
    X("dfar", VIRTUAL, "FAR_EL1")                                                                  \
    X("ifar", VIRTUAL, "FAR_EL1")                                                                  \
    X("gva", VIRTUAL, "FAR_EL2")                                                                   \
    X("va", VIRTUAL, "FAR_ELx")                                                                    \
    X("vaddr", VIRTUAL, "FAR_ELx")                                                                 \
    X("virtual address", VIRTUAL, "FAR_ELx")                                                       \
    X("fault address", VIRTUAL, "FAR_ELx")                                                         \
    X("faulting address", VIRTUAL, "FAR_ELx")                                                      \
    X("on address", VIRTUAL, "FAR_ELx")                                                            \
    X("fault on data at address", VIRTUAL, "FAR_ELx")                                              \
    X("fault on code at address", VIRTUAL, "FAR_ELx")                                              \
    X("hpfar", HPFAR, "HPFAR_EL2")                                                                 \
    X("hpfar_el2", HPFAR, "HPFAR_EL2")                                                             \
    X("ipa", IPA, "IPA")                                                                           \
    X("gpa", IPA, "IPA")                                                                           \
    X("ipaddr", IPA, "IPA")                                                                        \
    X("fault_ipa", IPA, "IPA")                                                                     \
    X("fault ipa", IPA, "IPA")                                                                     \
    X("guest physical address", IPA, "IPA")                                                        \
    X("unhandled data read at", IPA, "IPA")                                                        \
    X("unhandled data write at", IPA, "IPA")                                                       \
    X("pc", PC, "PC")                                                                              \
    X("elr", PC, "ELR_ELx")                                                                        \
    X("elr_el1", PC, "ELR_EL1")                                                                    \
    X("elr_el12", PC, "ELR_EL1")                                                                   \
    X("elr_el2", PC, "ELR_EL2")                                                                    \
    X("elr_el3", PC, "ELR_EL3")                                                                    \
    X("elr_eln", PC, "ELR_ELx")                                                                    \
    X("elr_hyp", PC, "ELR_EL2")                                                                    \
    X("faulting instruction", PC, "PC")                                                            \
    X("sys_reg access at", PC, "PC")                                                               \
    X("spsr", STATE, "SPSR_EL2")                                                                   \
    X("spsr_el1", STATE, "SPSR_EL1")                                                               \
    X("spsr_el2", STATE, "SPSR_EL2")                                                               \
    X("spsr_el3", STATE, "SPSR_EL2")                                                               \
    X("spsr_hyp", STATE, "SPSR_EL2")                                                               \
    X("pstate", STATE, "SPSR_EL2")                                                                 \
    X("cpsr", STATE, "SPSR_EL2")                                                                   \
    X("ps", STATE, "SPSR_EL2")                                                                     \
    X("par", REGISTER, "PAR_EL1")                                                                  \
    X("pte", DESCRIPTOR, "3")                                                                      \
    X("s2pte", DESCRIPTOR, "3")                                                                    \
    X("pmd", DESCRIPTOR, "2")                                                                      \
    X("pud", DESCRIPTOR, "1")                                                                      \
    X("p4d", DESCRIPTOR, "0")                                                                      \
    X("pgd", DESCRIPTOR, "0")                                                                      \
    X("gfsr", SMMU_GLOBAL, "sGFSR")                                                                \
    X("sgfsr", SMMU_GLOBAL, "sGFSR")                                                               \
    X("gfsynr0", SMMU_GLOBAL, "sGFSYNR0")                                                          \
    X("gfsynr1", SMMU_GLOBAL, "sGFSYNR1")                                                          \
    X("gfsynr2", SMMU_GLOBAL, "sGFSYNR2")                                                          \
    X("sgfsynr0", SMMU_GLOBAL, "sGFSYNR0")                                                         \
    X("sgfsynr1", SMMU_GLOBAL, "sGFSYNR1")                                                         \
    X("sgfsynr2", SMMU_GLOBAL, "sGFSYNR2")                                                         \
    X("gfar", SMMU_GLOBAL, "sGFAR")                                                                \
    X("scr0", SMMU_GLOBAL, "sCR0")                                                                 \
    X("cr0", SMMU_GLOBAL, "sCR0")                                                                  \
    X("smr", SMMU_GLOBAL, "SMR")                                                                   \
    X("s2cr", SMMU_GLOBAL, "S2CR")                                                                 \
    X("cbar", SMMU_GLOBAL, "CBAR")                                                                 \
    X("cba2r", SMMU_GLOBAL, "CBA2R")                                                               \
    X("cbfrsynra", SMMU_GLOBAL, "CBFRSYNRA")                                                       \
    X("fsr", SMMU_BANK, "FSR")                                                                     \
    X("fsynr", SMMU_BANK, "FSYNR0")                                                                \
    X("fsynr0", SMMU_BANK, "FSYNR0")                                                               \
    X("fsynr1", SMMU_BANK, "FSYNR1")                                                               \
    X("iova", IOVA, "IOVA")                                                                        \
    X("sid", STREAM, "StreamID")                                                                   \
    X("stream id", STREAM, "StreamID")                                                             \
    X("cb", BANK, "CB")                                                                            \
    X("vmid", VMID, "VMID")

/* Names that CPU and SMMU share, where a message is about an SMMU. */
#define SMMU_NAME_MAP(X)                                                                           \
    X("far", SMMU_BANK, "FAR")                                                                     \
    X("ttbr0", SMMU_BANK, "TTBR0")                                                                 \
    X("ttbr1", SMMU_BANK, "TTBR1")                                                                 \
    X("tcr", SMMU_BANK, "TCR")                                                                     \
    X("sctlr", SMMU_BANK, "SCTLR")                                                                 \
    X("contextidr", SMMU_BANK, "CONTEXTIDR")                                                       \
    X("par", SMMU_BANK, "PAR")                                                                     \
    X("mair0", SMMU_BANK, "MAIR0")                                                                 \
    X("mair1", SMMU_BANK, "MAIR1")                                                                 \
    X("ipafar", SMMU_BANK, "IPAFAR")

struct known_name {
    const char *text;
    enum meaning meaning;
    const char *canonical;
};

#define KNOWN(text, meaning, canonical) {text, MEANING_##meaning, canonical},
static const struct known_name names[] = {NAME_MAP(KNOWN)};
static const struct known_name smmu_names[] = {SMMU_NAME_MAP(KNOWN)};
#undef KNOWN

enum {
    NAMES = sizeof names / sizeof *names,
    SMMU_NAMES = sizeof smmu_names / sizeof *smmu_names,
};

const char *meaning_called(enum meaning meaning)
{
    static const char *const called[] = {
#define CALLED(id, text) text,
        MEANING_MAP(CALLED)
#undef CALLED
    };
    return called[meaning];
}

bool meaning_is_decimal(enum meaning meaning)
{
    return meaning == MEANING_BANK || meaning == MEANING_VMID;
}

/* --- Recognising ----------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool phrase_at(const char *text, const char *end, const char *phrase, size_t *length)
{
    const char *at = text;
    for (; *phrase; phrase++) {
        if (*phrase == ' ') {
            const char *blank = at;
            while (at < end && isspace((unsigned char)*at))
                at++;
            if (at == blank)
                return false;
        } else if (at == end || tolower((unsigned char)*at++) != *phrase) {
            return false;
        }
    }
    *length = (size_t)(at - text);
    return at == end || !is_word(*at);
}

static const struct known_name *longest(const struct known_name *table, size_t count,
                                        const char *text, const char *end, size_t *length)
{
    const struct known_name *best = NULL;
    const char first = (char)tolower((unsigned char)*text);
    size_t taken;
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        if (table[i].text[0] == first && phrase_at(text, end, table[i].text, &taken) &&
            taken > *length) {
            best = &table[i];
            *length = taken;
        }
    }
    return best;
}

size_t word_length(const char *text, const char *end)
{
    size_t length = 0;
    while (text + length < end && is_word(text[length]))
        length++;
    return length;
}

/* "x3" */
static bool general_register_at(const char *text, size_t length, struct name *name)
{
    static const char *const texts[] = {"X0",  "X1",  "X2",  "X3",  "X4",  "X5",  "X6",  "X7",
                                        "X8",  "X9",  "X10", "X11", "X12", "X13", "X14", "X15",
                                        "X16", "X17", "X18", "X19", "X20", "X21", "X22", "X23",
                                        "X24", "X25", "X26", "X27", "X28", "X29", "X30"};
    if (length < 2 || length > 3 || tolower((unsigned char)text[0]) != 'x')
        return false;
    unsigned number = 0;
    for (size_t i = 1; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    if (number > 30)
        return false;
    *name = (struct name){
        .meaning = MEANING_GENERAL, .canonical = texts[number], .number = number, .level = 0};
    return true;
}

static const struct fh_arm_smmu_register *find_smmu(const struct known_name *known)
{
    static const enum fh_arm_smmu_page pages[] = {FH_ARM_SMMU_GR0, FH_ARM_SMMU_GR1, FH_ARM_SMMU_CB};
    const size_t length = strlen(known->canonical);
    if (known->meaning == MEANING_SMMU_BANK)
        return fh_arm_smmu_register_named(FH_ARM_SMMU_CB, known->canonical, length);
    for (size_t i = 0; i < 2; i++) {
        const struct fh_arm_smmu_register *reg =
            fh_arm_smmu_register_named(pages[i], known->canonical, length);
        if (reg)
            return reg;
    }
    return NULL;
}

static void take_known(const struct known_name *known, struct name *name)
{
    *name = (struct name){.meaning = known->meaning, .canonical = known->canonical};
    name->reg = fh_arm_register_named(known->canonical, strlen(known->canonical));
    if (known->meaning == MEANING_SMMU_GLOBAL || known->meaning == MEANING_SMMU_BANK)
        name->smmu = find_smmu(known);
    if (known->meaning == MEANING_DESCRIPTOR) {
        name->level = known->canonical[0] - '0';
        name->canonical = known->text;
    }
}

bool name_at(const char *text, const char *end, bool in_smmu, struct name *name, size_t *length)
{
    const struct known_name *known = NULL;
    if (in_smmu)
        known = longest(smmu_names, SMMU_NAMES, text, end, length);
    if (!known)
        known = longest(names, NAMES, text, end, length);
    if (known)
        take_known(known, name);
    return known != NULL;
}

bool name_of_register(const char *word, size_t length, struct name *name)
{
    if (general_register_at(word, length, name))
        return true;
    /* "sp" is the stack pointer of whoever printed it. */
    const struct fh_arm_register *reg = length > 2 ? fh_arm_register_called(word, length) : NULL;
    if (!reg)
        return false;
    *name = (struct name){.meaning = MEANING_REGISTER, .canonical = reg->name, .reg = reg};
    return true;
}

const char *name_nearest(const char *unknown)
{
    const char *candidates[NAMES + 64];
    size_t count = 0;
    for (size_t i = 0; i < NAMES; i++)
        candidates[count++] = names[i].text;
    for (unsigned i = 0; i < 64; i++) {
        const struct fh_arm_register *reg = fh_arm_register_at(i);
        if (reg && reg->meaning[0])
            candidates[count++] = reg->name;
    }
    return nearest(unknown, candidates, count);
}
