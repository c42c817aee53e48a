/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_SEQUENCE_H
#define SIM_FOREIGN_SEQUENCE_H

/* What is kept of the records before, for the checks of their sequence. */
struct foreign_sequences;

struct foreign_sequences *sequences_new(void);
void sequences_free(struct foreign_sequences *sequences);

#endif
