/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_FAULTHANDLER_H
#define FAULTHANDLER_FAULTHANDLER_H

/*
 * libfaulthandler: SeKVM's verified hypervisor core as a state machine.
 *
 *   struct fh_config config = {.allocator = fh_malloc_allocator()};
 *   struct fh_state *state = fh_state_new(&config);
 *   enum fh_status status = fh_map_page_host(state, 0x80000000);
 *   fh_state_free(state);
 */
#include <faulthandler/abi.h>
#include <faulthandler/access.h>
#include <faulthandler/allocator.h>
#include <faulthandler/arm.h>
#include <faulthandler/delta.h>
#include <faulthandler/effects.h>
#include <faulthandler/events.h>
#include <faulthandler/invariants.h>
#include <faulthandler/machine.h>
#include <faulthandler/map.h>
#include <faulthandler/path.h>
#include <faulthandler/profile.h>
#include <faulthandler/rdata.h>
#include <faulthandler/realisation.h>
#include <faulthandler/reflect.h>
#include <faulthandler/rules.h>
#include <faulthandler/scene.h>
#include <faulthandler/spec.h>
#include <faulthandler/state.h>
#include <faulthandler/status.h>
#include <faulthandler/tables.h>
#include <faulthandler/trap.h>
#include <faulthandler/version.h>
#include <faulthandler/words.h>

#endif
