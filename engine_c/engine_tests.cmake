# One executable for each tests/engine/test_*.c. Those that define ptd_test_malloc (they make the
# n-th allocation fail) are linked with a build of the engine that takes its memory from them.
include(CTest)
set(test_directory ${CMAKE_CURRENT_SOURCE_DIR}/../tests/engine)
file(GLOB test_sources CONFIGURE_DEPENDS ${test_directory}/test_*.c)

ptd_add_engine(ptd_hooked)
target_compile_definitions(ptd_hooked PRIVATE PTD_TEST_ALLOCATOR)

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
