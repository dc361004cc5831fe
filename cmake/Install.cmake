# What `make install` puts where: bin/proffer, the shared library with the public C API
# and nothing else, its header, its pkg-config file, the shell completions, and the data
# of `proffer demo`.

if(TARGET proffer_engine)
  # The engine's objects bring in the rooms' archives. Everything is compiled with hidden
  # visibility; PROFFER_API opens the public calls and the version script closes the rest,
  # symbols of linked archives included.
  target_compile_definitions(proffer_engine PRIVATE PROFFER_BUILD)
  add_library(libproffer SHARED $<TARGET_OBJECTS:proffer_engine>)
  get_target_property(engine_uses proffer_engine LINK_LIBRARIES)
  target_link_libraries(libproffer PRIVATE ${engine_uses})
  target_include_directories(libproffer INTERFACE ${CMAKE_SOURCE_DIR}/include)
  set_target_properties(libproffer PROPERTIES OUTPUT_NAME proffer LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/libproffer.map
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_options(libproffer PRIVATE
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/libproffer.map)
  if(NOT PROFFER_SANITIZE AND NOT PROFFER_THREAD_SANITIZE AND NOT PROFFER_FUZZ)
    # Nothing may be left for the host program to supply. (A sanitizer's runtime is.)
    target_link_options(libproffer PRIVATE -Wl,-z,defs)
  endif()
  file(RELATIVE_PATH PROFFER_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/proffer.pc.in
    ${CMAKE_BINARY_DIR}/proffer.pc @ONLY)
  install(TARGETS libproffer LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/proffer
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  install(FILES ${CMAKE_BINARY_DIR}/proffer.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

if(TARGET proffer)
  set_target_properties(proffer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  install(TARGETS proffer RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The program writes its own completions, so they cannot fall behind its options.
  install(CODE "
    foreach(shell bash zsh)
      execute_process(COMMAND $<TARGET_FILE:proffer> completion \${shell}
        OUTPUT_FILE ${CMAKE_BINARY_DIR}/proffer.\${shell} COMMAND_ERROR_IS_FATAL ANY)
    endforeach()")
  install(FILES ${CMAKE_BINARY_DIR}/proffer.bash RENAME proffer
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${CMAKE_BINARY_DIR}/proffer.zsh RENAME _proffer
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()

# What `proffer demo` runs on.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/complete-journey
  DESTINATION ${CMAKE_INSTALL_DATADIR}/proffer/examples)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
