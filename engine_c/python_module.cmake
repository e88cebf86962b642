# phasic._native: cffi turns binding/cdef.h and binding/source.c into one C file (API mode, abi3). With
# it go the handlers that XLA calls, written against the header that jaxlib brings.
find_package(Python REQUIRED COMPONENTS Interpreter Development.SABIModule)

set(generated ${CMAKE_CURRENT_BINARY_DIR}/_native.c)
set(binding ${CMAKE_CURRENT_SOURCE_DIR}/binding)
add_custom_command(
  OUTPUT ${generated}
  COMMAND Python::Interpreter -m cffi.gen_src read-sources phasic._native ${binding}/cdef.h
          ${binding}/source.c ${generated}
  DEPENDS ${binding}/cdef.h ${binding}/source.c
  VERBATIM
)
execute_process(
  COMMAND ${Python_EXECUTABLE} -c
          "import os, jaxlib; print(os.path.join(os.path.dirname(jaxlib.__file__), 'include'), end='')"
  OUTPUT_VARIABLE jaxlib_include
  COMMAND_ERROR_IS_FATAL ANY
)
file(GLOB xla_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/xla/*.c)
Python_add_library(_native MODULE USE_SABI 3.11 WITH_SOABI ${generated} ${xla_sources})
target_include_directories(
  _native PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR}/xla
)
target_include_directories(_native SYSTEM PRIVATE ${jaxlib_include})
# What `phasic doctor` shows: the flags of all files; those of single kernels are in their names.
get_directory_property(common_flags COMPILE_OPTIONS)
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(flags ${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type}} ${common_flags})
list(JOIN flags " " flags)
string(REPLACE "\"" "'" flags "${flags}")
target_compile_definitions(
  _native
  PRIVATE PHASIC_VERSION="${SKBUILD_PROJECT_VERSION_FULL}"
          PHASIC_SANITIZE="${PTD_SANITIZE}"
          "PHASIC_COMPILER=\"${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}\""
          "PHASIC_FLAGS=\"${flags}\""
)
target_link_libraries(_native PRIVATE ptd)
install(TARGETS _native LIBRARY DESTINATION phasic)
