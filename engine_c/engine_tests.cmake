# One executable for each tests/engine/test_*.c. Those that define ptd_test_malloc (they make the
# n-th allocation fail) are linked with a build of the engine that takes its memory from them.
include(CTest)
set(test_directory ${CMAKE_CURRENT_SOURCE_DIR}/../tests/engine)
file(GLOB test_sources CONFIGURE_DEPENDS ${test_directory}/test_*.c)

ptd_add_engine(ptd_hooked PTD_TEST_ALLOCATOR)

foreach(source IN LISTS test_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src ${test_directory})
  file(STRINGS ${source} hooked REGEX "ptd_test_malloc")
  if(hooked)
    target_compile_definitions(${name} PRIVATE PTD_TEST_ALLOCATOR)
    target_link_libraries(${name} PRIVATE ptd_hooked)
  else()
    target_link_libraries(${name} PRIVATE ptd)
  endif()
  add_test(NAME ${name} COMMAND ${name})
endforeach()

# The codec's fuzzer, and, where an address sanitizer watches, the same with a planted bug that it
# must find: validation then misses one bound.
function(ptd_add_fuzzer name engine)
  add_executable(${name} ${test_directory}/fuzz_codec.c)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src ${test_directory})
  target_link_libraries(${name} PRIVATE ${engine})
  add_test(NAME ${name} COMMAND ${name} 5000 1)
endfunction()

ptd_add_fuzzer(fuzz_codec ptd)
if(PTD_SANITIZE MATCHES "address")
  ptd_add_engine(ptd_planted PTD_PLANT_BUG)
  ptd_add_fuzzer(fuzz_codec_planted ptd_planted)
  set_tests_properties(fuzz_codec_planted PROPERTIES WILL_FAIL ON)
endif()

# Bugs on purpose, built like everything else: an instrument that does not see them sees nothing.
set(planted ${CMAKE_CURRENT_SOURCE_DIR}/../tests/instruments/planted.c)
add_executable(planted ${planted})
target_link_libraries(planted PRIVATE Threads::Threads)
add_library(planted_module MODULE ${planted})
target_link_libraries(planted_module PRIVATE Threads::Threads)
