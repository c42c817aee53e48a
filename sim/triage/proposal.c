/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/proposal.h"

const struct proposal_tried *proposal_tried_for(const struct proposal *proposal,
                                                const struct triage_signature *signature)
{
    for (size_t i = 0; i < proposal->ntried; i++) {
        if (triage_is_same(&proposal->tried[i].signature, signature))
            return &proposal->tried[i];
    }
    return NULL;
}
