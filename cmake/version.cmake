# SPDX-License-Identifier: GPL-2.0-only

# The version is that of the header.
set(FH_VERSION)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/faulthandler/version.h lines
     REGEX "define FH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
foreach(line ${lines})
    string(REGEX MATCH "[0-9]+$" number ${line})
    list(APPEND FH_VERSION ${number})
endforeach()
list(JOIN FH_VERSION "." FH_VERSION)
