/* SPDX-License-Identifier: GPL-2.0-only */
#include <fhtrace/fhtrace.h>

#include <stdio.h>

/* How the replay of a trace ends: the first trap that the model does not explain, or none. */
int main(int argc, char **argv)
{
    struct fht_verdict verdict;
    struct fht_replay *replay = fht_replay_open(argc > 1 ? argv[1] : "", NULL);
    switch (fht_replay_run(replay, NULL, NULL, &verdict)) {
    case FHT_RECORD: printf("#%d: %s\n", (int)verdict.record.seq, verdict.difference); break;
    case FHT_END: puts("every trap is explained"); break;
    case FHT_ERROR: puts(fht_replay_error(replay)); break;
    }
    fht_replay_close(replay);
    return 0;
}
