# proffer_room(NAME [USES room ...] [LIBRARIES target ...])
#   A static library proffer_NAME of every .c and .cpp file in src/NAME.
#   USES names the rooms whose headers it may include: the same list that the style
#   check holds against the #include lines.
function(proffer_room NAME)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c
    ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(proffer_${NAME} STATIC ${sources})
  target_include_directories(proffer_${NAME} PUBLIC ${CMAKE_SOURCE_DIR}/src
    ${CMAKE_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_USES PREPEND proffer_)
  target_link_libraries(proffer_${NAME} PUBLIC ${ROOM_USES} ${ROOM_LIBRARIES} m)
endfunction()

# proffer_test(FILE.c room ... [LIBRARIES target ...] [TIMEOUT seconds])
#   A cmocka program named like its file, run by CTest.
function(proffer_test FILE)
  cmake_parse_arguments(TEST "" "TIMEOUT" "LIBRARIES" ${ARGN})
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
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
