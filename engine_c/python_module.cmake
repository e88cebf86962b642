# phasic._native: cffi turns binding/cdef.h and binding/source.c into one C file (API mode, abi3).
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
Python_add_library(_native MODULE USE_SABI 3.11 WITH_SOABI ${generated})
target_compile_definitions(
  _native PRIVATE PHASIC_VERSION="${SKBUILD_PROJECT_VERSION_FULL}" PHASIC_SANITIZE="${PTD_SANITIZE}"
)
target_link_libraries(_native PRIVATE ptd)
install(TARGETS _native LIBRARY DESTINATION phasic)
