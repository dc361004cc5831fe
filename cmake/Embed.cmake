# proffer_embed(TARGET SYMBOL FILE)
#   Builds the bytes of FILE into TARGET as
#       extern const unsigned char SYMBOL[];      (one zero byte behind the end)
#       extern const size_t SYMBOL_size;
#   The C file is made in the build folder and again whenever FILE changes.
function(proffer_embed TARGET SYMBOL FILE)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${SYMBOL}.c)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${SYMBOL} -DINPUT=${FILE} -DOUTPUT=${output}
      -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    DEPENDS ${FILE} ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    COMMENT "Embedding ${FILE}")
  target_sources(${TARGET} PRIVATE ${output})
endfunction()
