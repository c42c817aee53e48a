# SPDX-License-Identifier: GPL-2.0-only

# A build for another architecture, that of scripts/ports: FH_PORT is the compiler's triplet,
# FH_PORT_CPU qemu-user's name of it, FH_PORT_ROOT a folder with Debian's libraries for it.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FH_PORT FH_PORT_CPU FH_PORT_ROOT)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${FH_PORT_CPU})
if(FH_PORT_CPU STREQUAL arm) # where gcc has no integers of 128 bits
    set(CMAKE_C_COMPILER clang)
    set(CMAKE_CXX_COMPILER clang++)
    set(CMAKE_C_COMPILER_TARGET ${FH_PORT})
    set(CMAKE_CXX_COMPILER_TARGET ${FH_PORT})
else()
    set(CMAKE_C_COMPILER ${FH_PORT}-gcc)
    set(CMAKE_CXX_COMPILER ${FH_PORT}-g++)
endif()
# Under qemu-user, files have inode numbers of 64 bits.
set(CMAKE_C_FLAGS_INIT -D_FILE_OFFSET_BITS=64)
set(CMAKE_LIBRARY_ARCHITECTURE ${FH_PORT})
set(CMAKE_FIND_ROOT_PATH ${FH_PORT_ROOT} /usr/${FH_PORT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Debian 12 has some libraries (libtinfo) in /lib still.
set(libraries ${FH_PORT_ROOT}/usr/lib/${FH_PORT}:${FH_PORT_ROOT}/lib/${FH_PORT})
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-L${FH_PORT_ROOT}/usr/lib/${FH_PORT} -Wl,-rpath-link,${libraries}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-${FH_PORT_CPU};-L;/usr/${FH_PORT};-E;LD_LIBRARY_PATH=${libraries})
