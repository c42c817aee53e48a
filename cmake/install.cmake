# SPDX-License-Identifier: GPL-2.0-only

# What `cmake --install` puts below a prefix. Nothing in it names the prefix: the tree may be moved.
include(CMakePackageConfigHelpers)

install(TARGETS faulthandler faulthandler_static
        EXPORT faulthandlerTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/faulthandler
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

if(FH_TOOLS)
    install(TARGETS fhtrace EXPORT fhtraceTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY include/fhtrace
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()

# find_package(faulthandler): targets faulthandler::faulthandler, faulthandler::faulthandler_static,
# and with COMPONENTS fhtrace, where the tools were built, faulthandler::fhtrace
set(FH_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/faulthandler)
install(EXPORT faulthandlerTargets NAMESPACE faulthandler:: DESTINATION ${FH_PACKAGE_DIR})
if(FH_TOOLS)
    install(EXPORT fhtraceTargets NAMESPACE faulthandler:: DESTINATION ${FH_PACKAGE_DIR})
endif()
configure_package_config_file(cmake/faulthandlerConfig.cmake.in faulthandlerConfig.cmake
                              INSTALL_DESTINATION ${FH_PACKAGE_DIR})
write_basic_package_version_file(faulthandlerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/faulthandlerConfig.cmake
              ${PROJECT_BINARY_DIR}/faulthandlerConfigVersion.cmake
        DESTINATION ${FH_PACKAGE_DIR})

# pkg-config faulthandler
file(RELATIVE_PATH FH_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH FH_LIBDIR_FROM_PREFIX ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH FH_INCLUDEDIR_FROM_PREFIX ${CMAKE_INSTALL_PREFIX}
     ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/faulthandler.pc.in faulthandler.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/faulthandler.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(FH_TOOLS)
    configure_file(cmake/fhtrace.pc.in fhtrace.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/fhtrace.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
