# The OpenVINO backend: a module beside the program, opened when it is asked for (src/backend/module.h).
# GAMUT_OPENVINO names the folder that scripts/openvino.sh prints; without it everything else is built.
set(GAMUT_OPENVINO "" CACHE PATH "Folder of the openvino package with include/, cmake/ and libs/; empty: without")
if(NOT GAMUT_OPENVINO OR GAMUT_FUZZ)
  message(STATUS "OpenVINO: without (scripts/openvino.sh gets it; -DGAMUT_OPENVINO=FOLDER)")
  return()
endif()
find_package(OpenVINO 2026.4 REQUIRED COMPONENTS Runtime PATHS ${GAMUT_OPENVINO}/cmake NO_DEFAULT_PATH)
message(STATUS "OpenVINO: ${OpenVINO_VERSION_MAJOR}.${OpenVINO_VERSION_MINOR}.${OpenVINO_VERSION_PATCH} in ${GAMUT_OPENVINO}")

file(GLOB openvino_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/backend/openvino/*.cpp)
list(FILTER openvino_sources EXCLUDE REGEX "_test\\.cpp$")
add_library(gamut_openvino MODULE ${openvino_sources} ${CMAKE_SOURCE_DIR}/src/base/fmt.cpp)
target_include_directories(gamut_openvino PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_include_directories(gamut_openvino SYSTEM PRIVATE $<TARGET_PROPERTY:openvino::runtime,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(gamut_openvino PRIVATE GAMUT_VERSION="${PROJECT_VERSION}")
target_link_libraries(gamut_openvino PRIVATE gamut_options openvino::runtime)
set_target_properties(gamut_openvino PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
                      BUILD_RPATH ${GAMUT_OPENVINO}/libs)

# What the module takes from the program: gamut's own symbols, and nothing of the libraries linked into it.
set_target_properties(gamut_core PROPERTIES CXX_VISIBILITY_PRESET default)
target_link_options(gamut_core INTERFACE -Wl,--dynamic-list=${CMAKE_SOURCE_DIR}/cmake/module_symbols.txt)
add_dependencies(gamut_core gamut_openvino)
target_compile_definitions(gamut_core INTERFACE GAMUT_HAS_OPENVINO=1)
