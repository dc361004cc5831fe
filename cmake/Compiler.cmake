# Flags that hold for the whole house. Kernels add their own (see proffer_kernel_flags).

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(PROFFER_WERROR)
  add_compile_options(-Werror)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")

if(PROFFER_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(PROFFER_THREAD_SANITIZE)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(PROFFER_FUZZ)
  # Clang only: the edges libFuzzer steers by; fuzz/CMakeLists.txt adds its driver.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if((PROFFER_SANITIZE OR PROFFER_THREAD_SANITIZE) AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  # GCC's warnings that follow values see the sanitizers' checks as paths that exist. The
  # release build keeps them.
  add_compile_options(-Wno-format-truncation -Wno-maybe-uninitialized
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()
if(PROFFER_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(NOT PROFFER_SANITIZE AND NOT PROFFER_THREAD_SANITIZE)
  add_compile_options($<$<CONFIG:Release>:-fstack-protector-strong>)
endif()

# Numeric kernels may reorder sums and contract multiply-add; they may never assume
# that NaN and infinity do not happen.
function(proffer_kernel_flags)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
    "-O3;-fassociative-math;-fno-signed-zeros;-fno-trapping-math;-ffp-contract=fast;-fno-math-errno;-Wno-conversion")
endfunction()
