# How rooms, tests, fuzz targets and benchmarks are declared.

# proffer_room(NAME [USES room ...] [LIBRARIES target ...])
#   A static library proffer_NAME of every .c and .cpp file in src/NAME.
#   USES names the rooms whose headers it may include: the same list that the style
#   check holds against the #include lines.
function(proffer_room NAME)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c
    ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(proffer_${NAME} STATIC ${sources})
    set_property(GLOBAL APPEND PROPERTY PROFFER_ROOMS proffer_${NAME})
    set(scope PUBLIC)
  else() # a room of headers alone
    add_library(proffer_${NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(proffer_${NAME} ${scope} ${CMAKE_SOURCE_DIR}/src
    ${CMAKE_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_USES PREPEND proffer_)
  target_link_libraries(proffer_${NAME} ${scope} ${ROOM_USES} ${ROOM_LIBRARIES} m)
endfunction()

# proffer_test(FILE.c room ... [LIBRARIES target ...] [LABELS label ...] [TIMEOUT seconds])
#   A cmocka program named like its file, run by CTest. The label `threads` says that it
#   starts threads: ThreadSanitizer runs exactly those (target thread_tests).
function(proffer_test FILE)
  cmake_parse_arguments(TEST "" "TIMEOUT" "LIBRARIES;LABELS" ${ARGN})
  get_filename_component(name ${FILE} NAME_WE)
  add_executable(${name} ${FILE})
  list(TRANSFORM TEST_UNPARSED_ARGUMENTS PREPEND proffer_)
  target_link_libraries(${name} PRIVATE ${TEST_UNPARSED_ARGUMENTS} PkgConfig::cmocka
    ${TEST_LIBRARIES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE PROFFER_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    PROFFER_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} SKIP_RETURN_CODE 77
    LABELS "${TEST_LABELS}")
  # XGBoost and OpenMP come from packages without ThreadSanitizer: it cannot see OpenMP's
  # barriers and takes what they order for races. Our own code stays watched.
  if(PROFFER_THREAD_SANITIZE)
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
      "TSAN_OPTIONS=ignore_noninstrumented_modules=1")
  endif()
  if("threads" IN_LIST TEST_LABELS)
    add_dependencies(thread_tests ${name})
  endif()
endfunction()

# proffer_comment_words(FILE KEY RESULT)
#   The words after "KEY:" in a line of FILE's head comment; empty when there is none.
function(proffer_comment_words FILE KEY RESULT)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FILE})
  file(STRINGS ${FILE} line REGEX "^ \\* ${KEY}:" LIMIT_COUNT 1)
  string(REGEX REPLACE "^ \\* ${KEY}:" "" line "${line}")
  string(REGEX MATCHALL "[^ ]+" words "${line}")
  set(${RESULT} ${words} PARENT_SCOPE)
endfunction()

# proffer_program_rooms(NAME FILE RESULT)
#   Links NAME with the rooms and libraries that FILE's head comment lists:
#       * Rooms: base store intake
#       * Libraries: PkgConfig::zlib
function(proffer_program_rooms NAME FILE)
  proffer_comment_words(${FILE} Rooms rooms)
  proffer_comment_words(${FILE} Libraries libraries)
  if(NOT rooms)
    message(FATAL_ERROR "${FILE}: its head comment lacks the line ' * Rooms: ...'")
  endif()
  list(TRANSFORM rooms PREPEND proffer_)
  target_link_libraries(${NAME} PRIVATE ${rooms} ${libraries})
  target_compile_definitions(${NAME} PRIVATE PROFFER_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    PROFFER_BINARY_DIR="${CMAKE_BINARY_DIR}")
endfunction()

# proffer_link_every_file()
#   A shared library of every file of every room, called by nobody. Coverage counts the
#   files that some program links; this one makes sure that it counts them all.
function(proffer_link_every_file)
  get_property(rooms GLOBAL PROPERTY PROFFER_ROOMS)
  list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(every_file SHARED ${objects})
  target_link_libraries(every_file PRIVATE ${rooms})
  set_target_properties(every_file PROPERTIES LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
